/**
 * `--manifests DIR`: the ConfigMaps and Secrets of a folder's YAML and JSON files, listed and watched without a
 * cluster.
 */
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "../kube/client/client.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import type { Log } from "../log/log.ts";
import { matchesSelector, parseSelector } from "../objects/selector_grammar.ts";
import type { KubeObject } from "../objects/object.ts";
import { keyOf, type ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { Alarm } from "../runtime/alarm.ts";
import type { Clock } from "../runtime/clock.ts";
import { followFolder } from "../runtime/folder_changes.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import type { Manifest } from "./manifest_file.ts";
import { FOLDER, type FolderContent, ManifestFolder } from "./manifest_folder.ts";

/** The folder cannot be read, or files in it are invalid. The message has a line for each. */
export class FolderError extends Error {
  override readonly name = "FolderError";

  constructor(readonly faults: readonly string[]) {
    super(faults.join("\n"));
  }
}

export interface FolderSourceOptions {
  /** Folders that files are written to. They may be inside the folder, and are not read. */
  outputs: readonly string[];
  clock: Clock;
  log: Pick<Log, "debug" | "info" | "warn" | "error">;
}

/**
 * An object, or one that no longer exists. The latter is stored without its data, because watches must report its
 * deletion.
 */
interface Entry {
  object: Manifest["object"];
  version: number;
  isGone: boolean;
}

/** Time without a change before the folder is read, because saving a file causes several events. */
const QUIET_MS = 50;

/** Time between two scans of the folder without an announced change: not every file system announces changes. */
const RESCAN_MS = 2000;

export class FolderSource implements ObjectApi {
  /** A streaming list would have no advantage here. */
  streamingLists = false;
  readonly lists = new Semaphore(Infinity);
  readonly #folder: ManifestFolder;
  readonly #clock: Clock;
  readonly #log: FolderSourceOptions["log"];
  /** By key; the entry that changed last is the last one. */
  readonly #entries = new Map<string, Entry>();
  #version = 0;
  /** The alarms of the watches under way. */
  readonly #watches = new Set<Alarm>();
  readonly #closed = new AbortController();
  readonly #rescan: Alarm;
  /** When a change was last announced; by the clock, in ms. */
  #announcedAt = Infinity;
  #faults: FolderContent["faults"] = new Map();
  #following: Promise<unknown> = Promise.resolve();

  /**
   * Reads the folder and starts to follow it.
   *
   * @throws {FolderError} `dir` cannot be read, or files in it are invalid. Starting without their objects would look like
   *   their deletion
   */
  static async open(dir: string, options: FolderSourceOptions): Promise<FolderSource> {
    const source = new FolderSource(new ManifestFolder(dir, options.log, options.outputs), options);
    // Before the folder is read, so that no change is missed in between
    const listening = source.#following = source.#listen(dir);
    const { manifests, faults } = await source.#folder.read();
    if (faults.size > 0) {
      await source.close();
      throw new FolderError([...faults.values()]);
    }
    source.#update(manifests);
    source.#following = Promise.all([source.#follow(), listening]);
    return source;
  }

  private constructor(folder: ManifestFolder, { clock, log }: FolderSourceOptions) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#rescan = new Alarm(clock);
  }

  /** Lists everything in one page. */
  async *list(source: Source, _query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult> {
    signal.throwIfAborted();
    const resourceVersion = String(this.#version);
    const selected = [...this.#entries.values()].filter(selects(source));
    if (selected.length > 0) yield selected.map(objectOf);
    return { resourceVersion };
  }

  /**
   * Yields the current state of each object that changed since a version. A changed object that is not selected is a
   * `DELETED` event, even if it was not selected before.
   */
  async *watch(
    source: Source,
    { resourceVersion, timeoutSeconds }: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void> {
    signal.throwIfAborted();
    onAnswer();
    const end = this.#clock.now() + timeoutSeconds * 1000;
    const alarm = new Alarm(this.#clock);
    this.#watches.add(alarm);
    try {
      let version = Number(resourceVersion);
      while (this.#clock.now() < end) {
        if (version === this.#version) await alarm.sleepUntil(end, signal);
        signal.throwIfAborted();
        const events = this.#eventsSince(version, source);
        version = this.#version;
        if (events.length > 0) yield events;
      }
    } finally {
      this.#watches.delete(alarm);
    }
  }

  read(source: Source, { namespace, name }: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
    signal.throwIfAborted();
    const entry = this.#entries.get(keyOf({ kind: source.kind, namespace, name }));
    return Promise.resolve(entry && selects(source)(entry) ? objectOf(entry) : undefined);
  }

  namespace(): Promise<string> {
    return Promise.resolve("default");
  }

  /** Stops following the folder. Watches stay open and report nothing. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#following;
  }

  #eventsSince(version: number, source: Source): WatchEvent[] {
    const isSelected = selects(source);
    return [...this.#entries.values()]
      .filter((entry) => entry.version > version && isInScope(source, entry))
      .map((entry) => ({ type: isSelected(entry) ? "MODIFIED" : "DELETED", object: objectOf(entry) }));
  }

  /** Updates the objects from the files. An object whose content is the same keeps its version. */
  #update(manifests: FolderContent["manifests"]): void {
    const before = this.#version;
    for (const [key, { object, isGone }] of this.#entries) {
      if (!isGone && !manifests.has(key)) this.#set(key, { kind: object.kind, metadata: object.metadata }, true);
    }
    for (const [key, { object }] of manifests) {
      const known = this.#entries.get(key);
      if (known === undefined || known.isGone || !isSame(known.object, object)) this.#set(key, object, false);
    }
    if (this.#version !== before) { for (const alarm of this.#watches) alarm.ring(); }
  }

  #set(key: string, object: Manifest["object"], isGone: boolean): void {
    this.#entries.delete(key);
    this.#entries.set(key, { object, version: ++this.#version, isGone });
  }

  /** Reads the folder again when it has been quiet after a change, and every {@link RESCAN_MS}. */
  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const latest = this.#clock.now() + RESCAN_MS;
      const due = () => Math.min(latest, this.#announcedAt + QUIET_MS);
      while (!signal.aborted && this.#clock.now() < due()) await this.#rescan.sleepUntil(due(), signal);
      if (signal.aborted) return;
      this.#announcedAt = Infinity;
      const { manifests, faults } = await this.#folder.read();
      this.#report(faults);
      this.#update(manifests);
    }
  }

  /** Logs when a file becomes invalid, when the reason changes, and when it is valid again. */
  #report(faults: FolderContent["faults"]): void {
    for (const [name, fault] of faults) {
      if (this.#faults.get(name) === fault) continue;
      if (name === FOLDER) this.#log.error(`${fault}; its objects stay as they were`);
      else this.#log.error(`${fault}; the change is ignored until the file is valid`, { path: name });
    }
    for (const name of this.#faults.keys()) {
      if (faults.has(name) || !this.#folder.has(name)) continue;
      if (name === FOLDER) this.#log.info("--manifests: the folder can be read again");
      else this.#log.info(`${name} is valid again`, { path: name });
    }
    this.#faults = faults;
  }

  /** Listens for announced changes. Without them, the folder is scanned every {@link RESCAN_MS}. */
  async #listen(dir: string): Promise<void> {
    try {
      await followFolder(dir, {
        recursive: true,
        signal: this.#closed.signal,
        onChange: ({ kind, paths }) => {
          if (kind === "access") return;
          for (const path of paths) this.#folder.touch(path);
          this.#announcedAt = this.#clock.now();
          this.#rescan.ring();
        },
      });
    } catch (error) {
      this.#log.debug(`--manifests: changes are not announced: ${error}`);
    }
  }
}

/** Whether the object is in the scope of the source, regardless of its labels. */
function isInScope({ kind, namespace, name }: Source, { object }: Entry): boolean {
  return object.kind === kind && (namespace ?? object.metadata.namespace) === object.metadata.namespace &&
    (name ?? object.metadata.name) === object.metadata.name;
}

function selects(source: Source): (entry: Entry) => boolean {
  const requirements = parseSelector(source.labelSelector ?? "");
  return (entry) =>
    !entry.isGone && isInScope(source, entry) && matchesSelector(requirements, entry.object.metadata.labels);
}

function objectOf({ object, version }: Entry): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
