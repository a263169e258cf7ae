/** Reads the objects that the files of a folder define. */
import type { Log } from "../log/log.ts";
import { type Manifest, ManifestError, parseManifestFile } from "./manifest_file.ts";

export interface FolderContent {
  /** By key. */
  manifests: ReadonlyMap<string, Manifest>;
  /** The fault of each invalid file, in one line. */
  faults: ReadonlyMap<string, string>;
}

interface KnownFile {
  /** Changes when the file does. */
  fingerprint: string;
  /** The current manifests of the file, or its fault. */
  content: readonly Manifest[] | string;
  /** Its manifests when it was last valid. */
  valid: readonly Manifest[];
}

/** The key of the folder itself among the faults. */
export const FOLDER = "";

/** The fingerprint of a file that must be read again. */
const UNKNOWN = "";

export class ManifestFolder {
  readonly #dir: string;
  readonly #log: Pick<Log, "debug" | "warn">;
  readonly #outputs: readonly string[];
  #files = new Map<string, KnownFile>();
  readonly #touched = new Set<string>();

  /** @param outputs folders that files are written to: they are not read, because a key may be named like a manifest */
  constructor(dir: string, log: Pick<Log, "debug" | "warn">, outputs: readonly string[] = []) {
    this.#dir = dir;
    this.#log = log;
    this.#outputs = outputs;
  }

  /**
   * Reads the file again at the next scan, even if its fingerprint is the same: two writes within a millisecond are
   * possible.
   */
  touch(path: string): void {
    this.#touched.add(baseName(path));
  }

  /** Whether the last {@link ManifestFolder.read} found the file; always for the folder itself. */
  has(name: string): boolean {
    return name === FOLDER || this.#files.has(name);
  }

  /** Reads changed files. An invalid file keeps the objects that it had when it was last valid. Never throws. */
  async read(): Promise<FolderContent> {
    const faults = new Map<string, string>();
    try {
      await this.#readFiles();
    } catch (error) {
      // The set of touched files was cleared, so read all files next time
      for (const file of this.#files.values()) file.fingerprint = UNKNOWN;
      faults.set(FOLDER, `--manifests: the folder "${this.#dir}" cannot be read: ${reasonOf(error)}`);
    }
    return { manifests: this.#merge(faults), faults };
  }

  async #readFiles(): Promise<void> {
    const touched = new Set(this.#touched);
    this.#touched.clear();
    const files = new Map<string, KnownFile>();
    for (const [name, fingerprint] of await fingerprintsIn(this.#dir, "", await idsOf(this.#outputs))) {
      const known = this.#files.get(name);
      const isSame = fingerprint !== UNKNOWN && fingerprint === known?.fingerprint && !touched.has(baseName(name));
      const file = isSame ? known : await this.#readFile(name, fingerprint, known);
      if (file !== undefined) files.set(name, file);
    }
    this.#files = files;
  }

  async #readFile(name: string, fingerprint: string, known: KnownFile | undefined): Promise<KnownFile | undefined> {
    const valid = known?.valid ?? [];
    try {
      const { manifests, skipped, broken } = await parseManifestFile(
        name,
        await Deno.readTextFile(`${this.#dir}/${name}`),
      );
      if (skipped.length > 0) this.#log.debug(`${name}: skipped ${skipped.join(", ")}`);
      for (const key of broken) this.#log.warn(`${key}; the other keys are used`);
      return { fingerprint, content: manifests, valid };
    } catch (error) {
      if (error instanceof ManifestError) return { fingerprint, content: error.message, valid };
      // Removed, or just being replaced: the next read shows which
      if (error instanceof Deno.errors.NotFound) return known && { ...known, fingerprint: UNKNOWN };
      return { fingerprint: UNKNOWN, content: `${name}: ${reasonOf(error)}`, valid };
    }
  }

  /** Merges unchanged files first: if two files define the same object, the fault is that of the changed one. */
  #merge(faults: Map<string, string>): Map<string, Manifest> {
    const merged = new Map<string, Manifest>();
    const add = ({ valid }: KnownFile) => {
      for (const manifest of valid) if (!merged.has(manifest.key)) merged.set(manifest.key, manifest);
    };
    const changed: [string, KnownFile, readonly Manifest[]][] = [];
    for (const [name, file] of this.#files) {
      const { content, valid } = file;
      if (typeof content === "string") faults.set(name, content);
      else if (content !== valid) {
        changed.push([name, file, content]);
        continue;
      }
      add(file);
    }
    for (const [name, file, content] of changed) {
      const fault = duplicateIn(content, merged);
      if (fault === undefined) file.valid = content;
      else faults.set(name, fault);
      add(file);
    }
    return merged;
  }
}

function duplicateIn(content: readonly Manifest[], others: ReadonlyMap<string, Manifest>): string | undefined {
  const own = new Map<string, Manifest>();
  for (const manifest of content) {
    const { key, place, object: { kind, metadata } } = manifest;
    const first = own.get(key) ?? others.get(key);
    if (first !== undefined) {
      return `${place}: ${kind} ${metadata.namespace}/${metadata.name} is already defined at ${first.place}`;
    }
    own.set(key, manifest);
  }
  return undefined;
}

/**
 * The names of the manifest files below a folder, sorted, and their fingerprints. Names that begin with a dot are
 * skipped: the kubelet and editors use them.
 *
 * @param excluded folders that are not read: those above, because a symlink may lead back, and others
 * @throws {Deno.errors.*} a folder cannot be read
 */
async function fingerprintsIn(dir: string, prefix: string, excluded: string[]): Promise<Map<string, string>> {
  const files: [string, string][] = [];
  const inside = [...excluded, idOf(await Deno.stat(dir))];
  for await (const { name } of Deno.readDir(dir)) {
    if (name.startsWith(".")) continue;
    try {
      // Symbolic links are followed: a mounted ConfigMap consists of them
      const stat = await Deno.stat(`${dir}/${name}`);
      const isNew = !inside.includes(idOf(stat));
      if (stat.isDirectory && isNew) files.push(...await fingerprintsIn(`${dir}/${name}`, `${prefix}${name}/`, inside));
      else if (stat.isFile && isManifestName(name)) {
        files.push([prefix + name, [stat.dev, stat.ino, stat.size, stat.mtime?.getTime()].join(" ")]);
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (isManifestName(name)) files.push([prefix + name, UNKNOWN]);
      else if (!(error instanceof Deno.errors.FilesystemLoop)) throw error;
    }
  }
  return new Map(files.sort(([a], [b]) => a < b ? -1 : 1));
}

function idOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev} ${ino}`;
}

/** Of those folders that exist. */
async function idsOf(folders: readonly string[]): Promise<string[]> {
  const ids = await Promise.all(folders.map((folder) => Deno.stat(folder).then(idOf, () => undefined)));
  return ids.filter((id) => id !== undefined);
}

function isManifestName(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
