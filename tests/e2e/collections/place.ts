/** A CONFIG_FILE of a story and the changes to it that users make. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess, StartOptions } from "../../support/sidecar_process.ts";
import type { Settings, Story } from "../../support/story.ts";

/** A collection of the file. Without `label`, it has the story's. */
export interface Item {
  name: string;
  /** Below the story's directory. Default: the name. */
  folder?: string;
  [key: string]: unknown;
}

export class ConfigPlace {
  readonly #at: Story;
  readonly path: string;
  #versions = 0;

  constructor(at: Story) {
    this.#at = at;
    Deno.mkdirSync(join(at.dir, "config"), { recursive: true });
    this.path = join(at.dir, "config", "config.yaml");
  }

  /** As YAML; JSON is YAML, too. */
  text(items: readonly Item[], defaults: Record<string, unknown> = {}): string {
    const collections = items.map(({ folder, ...item }) => ({
      ...("names" in item || "selector" in item ? {} : { label: this.#at.label }),
      ...item,
      folder: this.folder(folder ?? item.name),
    }));
    return JSON.stringify({ version: 1, defaults, collections }, undefined, 1);
  }

  folder(name: string): string {
    return join(this.#at.dir, name);
  }

  /** Replaces the file as an editor does: by a rename. */
  write(items: readonly Item[], defaults?: Record<string, unknown>): void {
    this.writeText(this.text(items, defaults));
  }

  writeText(text: string): void {
    Deno.writeTextFileSync(`${this.path}.new`, text);
    Deno.renameSync(`${this.path}.new`, this.path);
  }

  /** Replaces the file as the kubelet does in the volume of a ConfigMap: by another `..data`. */
  swap(items: readonly Item[], defaults?: Record<string, unknown>): void {
    const directory = join(this.#at.dir, "config");
    const version = `..version-${this.#versions++}`;
    Deno.mkdirSync(join(directory, version));
    Deno.writeTextFileSync(join(directory, version, "config.yaml"), this.text(items, defaults));
    Deno.symlinkSync(version, join(directory, "..data_tmp"));
    Deno.renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
    if (this.#versions > 1) return;
    Deno.symlinkSync("..data/config.yaml", `${this.path}.link`);
    Deno.renameSync(`${this.path}.link`, this.path);
  }

  start(settings: Settings = {}, options: StartOptions = {}): Promise<SidecarProcess> {
    return this.#at.start({ LABEL: undefined, FOLDER: undefined, CONFIG_FILE: this.path, ...settings }, options);
  }

  /** Waits until every collection, of which there are so many, is ready. */
  async startReady(settings: Settings = {}, options: StartOptions = {}): Promise<SidecarProcess> {
    const sidecar = await this.start(settings, options);
    await eventually(async () => assert.equal((await sidecar.health("/readyz")).status, 200), { timeout: 30_000 });
    return sidecar;
  }

  /** Passes once each folder holds exactly these files. */
  async holds(expected: Record<string, Record<string, string>>): Promise<void> {
    await eventually(() => {
      for (const [folder, files] of Object.entries(expected)) assertFolderEquals(this.folder(folder), files);
    });
  }

  inode(file: string): number | null {
    return Deno.statSync(join(this.#at.dir, file)).ino;
  }

  /** Directories of sidecars in a folder. */
  records(folder: string): string[] {
    return [...Deno.readDirSync(this.folder(folder))].map(({ name }) => name).filter((name) => name.startsWith(".."));
  }
}

/** Waits until so many versions of the file were used. */
export async function reloaded(sidecar: SidecarProcess, count = 1): Promise<void> {
  await sidecar.logged(/was read again/, { count });
}
