/** Collections that were removed or moved while the sidecar was down, and sidecars that are killed in the middle of it. */
import assert from "node:assert/strict";
import { eventually } from "../../support/oracle.ts";
import { exists } from "../../support/disk.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import { type AddStory, forEach, type Story } from "../../support/story.ts";
import { ConfigPlace, type Item } from "./place.ts";

/** Enough that a removal and a move take some time. */
const MANY = 300;

const FOREIGN = { "foreign.txt": "foreign" };

async function createMany(at: Story): Promise<Record<string, string>> {
  const names = Array.from({ length: MANY / 10 }, (_, index) => `many-${index}`);
  const dataOf = (name: string) =>
    Object.fromEntries(Array.from({ length: 10 }, (_, key) => [`${name}-${key}.txt`, `${name} `.repeat(50)]));
  await forEach(names, (name) => at.create("ConfigMap", name, { data: dataOf(name) }));
  return Object.assign({}, ...names.map(dataOf));
}

function putForeign(config: ConfigPlace, ...folders: string[]): void {
  for (const folder of folders) {
    Deno.mkdirSync(config.folder(folder), { recursive: true });
    Deno.writeTextFileSync(`${config.folder(folder)}/foreign.txt`, "foreign", { mode: 0o644 });
  }
}

export function tellOfCleaningUp(story: AddStory): void {
  story("What was removed and moved while the sidecar was down is cleaned up by those that are left", async (at) => {
    const config = new ConfigPlace(at);
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    putForeign(config, "gone", "before", "never-ours");
    config.write([
      { name: "left" },
      { name: "gone" },
      { name: "moved", folder: "before" },
      { name: "kept", onRemove: "keep" },
    ]);
    const first = await config.startReady();
    await config.holds({ gone: { "a.txt": "a", ...FOREIGN }, before: { "a.txt": "a", ...FOREIGN } });
    await first.stop();
    const before = config.inode("left/a.txt");
    config.write([{ name: "left" }, { name: "moved", folder: "after" }]);
    const second = await config.startReady();
    await config.holds({
      left: { "a.txt": "a" },
      gone: FOREIGN,
      before: FOREIGN,
      after: { "a.txt": "a" },
      kept: { "a.txt": "a" },
      "never-ours": FOREIGN,
    });
    await eventually(() => {
      for (const folder of ["gone", "before", "kept"]) assert.deepEqual(config.records(folder), []);
    });
    assert.equal(config.inode("left/a.txt"), before);
    await second.stop();

    // What was kept is nobody's
    const third = await config.startReady();
    await config.holds({ kept: { "a.txt": "a" } });
    assert.deepEqual(third.findAll(/removed/), []);
  });

  /** Each case begins with `before` in place, is killed at the first sign of `after`, and is started again. */
  const cases: { name: string; before: Item[]; after: Item[]; sign: (config: ConfigPlace) => boolean }[] = [
    {
      name: "a move",
      before: [{ name: "left" }, { name: "moves", folder: "before" }],
      after: [{ name: "left" }, { name: "moves", folder: "after" }],
      sign: (config) => exists(config.folder("after")) && config.records("after").length > 0,
    },
    {
      name: "the removal after a move",
      before: [{ name: "left" }, { name: "moves", folder: "before" }],
      after: [{ name: "left" }, { name: "moves", folder: "after" }],
      sign: (config) => exists(config.folder("after")) && countIn(config.folder("before")) < MANY,
    },
    {
      name: "a removal",
      before: [{ name: "left" }, { name: "goes", folder: "before" }],
      after: [{ name: "left" }],
      sign: (config) => countIn(config.folder("before")) < MANY,
    },
    {
      name: "a reload",
      before: [{ name: "left" }, { name: "goes", folder: "before" }],
      after: [{ name: "left" }, { name: "comes", folder: "after" }],
      sign: (config) => exists(config.folder("after")),
    },
  ];
  for (const { name, before, after, sign } of cases) {
    story(`Killed in the middle of ${name}, it ends right at the next start`, async (at) => {
      const config = new ConfigPlace(at);
      const files = await createMany(at);
      putForeign(config, "before");
      config.write(before);
      const first = await config.startReady();
      await config.holds({ left: files, before: { ...files, ...FOREIGN } });
      config.write(after);
      await killedAt(first, () => sign(config));
      await config.startReady();
      const isThere = after.some(({ folder }) => folder === "after");
      await config.holds({ left: files, before: FOREIGN, ...(isThere ? { after: files } : {}) });
      await eventually(() => assert.deepEqual(config.records("before"), []));
    });
  }
}

function countIn(folder: string): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith("many-")).length;
}

/** Looks without a pause, for what is looked for is over soon. */
async function killedAt(sidecar: SidecarProcess, sign: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!sign()) assert.ok(performance.now() < deadline, "there was no sign of it");
  await sidecar.kill9();
}
