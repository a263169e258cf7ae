/** A hostile application that shares the folder, and what it must not bring about. */
import assert from "node:assert/strict";
import { text } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { Story } from "../../support/story.ts";

/** A file outside of FOLDER that nothing may change. */
export class Outside {
  readonly path: string;
  readonly #before: unknown;

  constructor(at: Story) {
    this.path = `${at.dir}/outside`;
    Deno.writeTextFileSync(this.path, "outside");
    Deno.chmodSync(this.path, 0o600);
    this.#before = this.#state();
  }

  assertUnchanged(): void {
    assert.deepEqual(this.#state(), this.#before);
  }

  #state(): unknown {
    const { mode, mtime, ino } = Deno.lstatSync(this.path);
    return { text: text(this.path), mode, mtime: Number(mtime), ino };
  }
}

/** Puts something in the place of a file, from one moment to the next. */
export function replace(path: string, make: (path: string) => void): void {
  const other = `${path}-other`;
  make(other);
  Deno.renameSync(other, path);
}

function makeFifo(path: string): void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assert.ok(success, "mkfifo failed");
}

function makeSparse(path: string): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  file.truncateSync(600 * 2 ** 20);
}

/** What may be in the record's place, and is no record. */
export const IMPOSTORS: Record<string, (at: Story) => (path: string) => void> = {
  "a FIFO": () => makeFifo,
  "a sparse file of 600 MB": () => makeSparse,
  "a symlink": (at) => (path) => Deno.symlinkSync(`${at.dir}/outside`, path),
  "a symlink to a FIFO": (at) => (path) => {
    makeFifo(`${at.dir}/fifo`);
    Deno.symlinkSync(`${at.dir}/fifo`, path);
  },
  "a symlink to /dev/zero": () => (path) => Deno.symlinkSync("/dev/zero", path),
};

export async function assertWellBehaved(at: Story, sidecar: SidecarProcess): Promise<void> {
  await at.change("ConfigMap", "a", { data: { "a.txt": "2", "b.txt": "2" } });
  await eventually(() => assertContents(at, { "a.txt": "2", "b.txt": "2" }), { timeout: 8000 });
  assert.equal((await sidecar.health("/livez")).status, 200);
  assert.doesNotMatch(sidecar.lines.map((line) => line.text).join("\n"), /^\s+at |Uncaught|stack/m);
  const { code, ms } = await sidecar.stop();
  assert.equal(code, 0);
  assert.ok(ms < 2000, `it ended after ${ms} ms`);
}

function assertContents(at: Story, files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) assert.equal(text(`${at.folder}/${name}`), content);
}
