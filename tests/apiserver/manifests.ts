/** `--manifests DIR`: an embedded API server whose objects are those of a folder's YAML and JSON files. */
import { join, relative } from "node:path";
import { EmbeddedApiServer, type EmbeddedApiServerOptions } from "./api_server.ts";
import { type Manifest, ManifestError, parseManifestFile } from "./manifest_file.ts";
import type { Registry } from "./registry.ts";
import { NAMESPACES, type StoredObject } from "./resources.ts";
import { StatusError } from "./status.ts";

/** Where the folder's faults are told. */
export interface ManifestLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
  error(message: string, properties?: Record<string, unknown>): void;
}

export interface ServeManifestsOptions {
  /** Ends the following of changes; closing the server is the caller's. */
  signal: AbortSignal;
  log: ManifestLog;
  server?: EmbeddedApiServerOptions;
}

/** So long must the folder be quiet before it is read: a save is several events. */
const DEBOUNCE_MS = 50;
/** The folder is also looked at without an event: not every file system tells of changes. */
const RESCAN_INTERVAL_MS = 2000;

/**
 * Serves the objects of `dir`'s files, all of which are loaded when it resolves, and follows the files from then on.
 *
 * @throws {Error} when `dir` is no folder.
 */
export async function serveManifests(dir: string, options: ServeManifestsOptions): Promise<EmbeddedApiServer> {
  const stat = await Deno.stat(dir).catch((error) => {
    throw new Error(`--manifests: the folder "${dir}" cannot be read: ${error.message}`, { cause: error });
  });
  if (!stat.isDirectory) throw new Error(`--manifests: "${dir}" is no folder`);
  const root = await Deno.realPath(dir);
  const watcher = Deno.watchFs(root);
  let server: EmbeddedApiServer | undefined;
  try {
    server = EmbeddedApiServer.start(options.server);
    const folder = new ManifestFolder(root, server.registry, options.log);
    await folder.sync();
    follow(folder, watcher, options);
    return server;
  } catch (error) {
    watcher.close();
    await server?.close();
    throw error;
  }
}

/** Reads the folder again once it has been quiet after a change, one reading at a time, until the signal aborts. */
function follow(folder: ManifestFolder, watcher: Deno.FsWatcher, { signal, log }: ServeManifestsOptions): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let syncing: Promise<void> = Promise.resolve();
  const syncIn = (milliseconds: number) => {
    clearTimeout(timer);
    if (signal.aborted) return;
    timer = setTimeout(() => {
      syncing = syncing.then(() => folder.sync()).catch((error) => log.error(error.message));
      syncing.finally(() => syncIn(RESCAN_INTERVAL_MS));
    }, milliseconds);
  };
  const unsubscribe = folder.onReleased(() => syncIn(0));
  const stop = () => {
    clearTimeout(timer);
    unsubscribe();
    watcher.close();
  };
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop, { once: true });
  syncIn(RESCAN_INTERVAL_MS);
  (async () => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      folder.changed(paths);
      syncIn(DEBOUNCE_MS);
    }
  })().catch((error) => signal.aborted || log.error(`--manifests: changes are no longer told: ${error.message}`));
}

/** One file as it was last read; `manifests` are those of its last good state. */
interface KnownFile {
  fingerprint: string;
  manifests: Manifest[];
}

/** Brings the objects in step with the files, as often as {@link sync} is called. */
class ManifestFolder {
  readonly #dir: string;
  readonly #registry: Registry;
  readonly #log: ManifestLog;
  #files = new Map<string, KnownFile>();
  #isLoaded = false;
  /** What of the files is in the store, by key; also what the store refused, so that it is said once. */
  #applied = new Map<string, Manifest>();
  readonly #warned = new Set<string>();
  readonly #changed = new Set<string>();

  constructor(dir: string, registry: Registry, log: ManifestLog) {
    this.#dir = dir;
    this.#registry = registry;
    this.#log = log;
  }

  /** These files are read again even if they look the same. */
  changed(paths: string[]): void {
    for (const path of paths) this.#changed.add(path);
  }

  /**
   * Calls `listener` when an object of the files is gone whose deletion finalizers had held up, while its file was written
   * anew: it is to be made again.
   */
  onReleased(listener: () => void): () => void {
    const { store } = this.#registry;
    return store.subscribe(() => {
      const { before, after, last } = store.changesAfter(Math.max(store.version - 1, store.compactedVersion))[0] ?? {};
      const isReleased = before?.metadata.deletionTimestamp !== undefined && after === undefined;
      if (isReleased && this.#applied.delete(keyOf(last!))) listener();
    });
  }

  async sync(): Promise<void> {
    await this.#read();
    const desired = this.#desired();
    const inUse = new Set([...desired.values()].map(({ object }) => object.metadata.namespace));
    for (const [key, { resource, object: { metadata: { namespace, name } } }] of this.#applied) {
      if (desired.has(key) || (resource === NAMESPACES && inUse.has(name))) continue;
      this.#try(() => this.#registry.delete(resource, namespace, name));
    }
    const applied = new Map<string, Manifest>();
    for (const [key, manifest] of desired) {
      applied.set(key, manifest);
      if (this.#applied.get(key) !== manifest) this.#try(() => this.#apply(manifest), manifest.place);
    }
    this.#applied = applied;
  }

  async #read(): Promise<void> {
    const files = new Map<string, KnownFile>();
    const changed = new Set(this.#changed);
    this.#changed.clear();
    for (const path of await manifestPaths(this.#dir)) {
      const name = relative(this.#dir, path);
      const known = this.#files.get(name);
      const fingerprint = await fingerprintOf(path);
      if (fingerprint === undefined) continue;
      const isSame = known?.fingerprint === fingerprint && !changed.has(path);
      files.set(name, isSame ? known : { fingerprint, manifests: await this.#readFile(path, name, known) });
    }
    this.#files = files;
    this.#isLoaded = true;
  }

  async #readFile(path: string, name: string, known: KnownFile | undefined): Promise<Manifest[]> {
    try {
      const { manifests, skipped } = await parseManifestFile(name, await Deno.readTextFile(path));
      if (skipped.length > 0) this.#log.debug(`${name}: skipped ${skipped.join(", ")}`);
      return manifests;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return known?.manifests ?? [];
      const message = error instanceof ManifestError ? error.message : `${name}: ${(error as Error).message}`;
      // What it held before is not known: to go on without would look as if its objects were deleted
      if (!this.#isLoaded) throw new ManifestError(message, { cause: error });
      this.#log.error(message);
      return known?.manifests ?? [];
    }
  }

  /** The manifest of each object, by key. The first file by path wins. Namespaces come first. */
  #desired(): Map<string, Manifest> {
    const desired = new Map<string, Manifest>();
    for (const manifest of [...this.#files.values()].flatMap(({ manifests }) => manifests)) {
      const key = keyOf(manifest.object);
      const winner = desired.get(key);
      if (winner === undefined) desired.set(key, manifest);
      else this.#warnOnce(`${key} is defined at ${winner.place} and again at ${manifest.place}: the first counts`);
    }
    return new Map(
      [...desired].sort(([, a], [, b]) => Number(b.resource === NAMESPACES) - Number(a.resource === NAMESPACES)),
    );
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#log.warn(message);
  }

  #apply({ resource, object }: Manifest): void {
    const { namespace } = object.metadata;
    if (namespace !== undefined && this.#registry.store.get(NAMESPACES.storage, undefined, namespace) === undefined) {
      this.#registry.create(NAMESPACES, undefined, { metadata: { name: namespace } });
    }
    this.#registry.apply(resource, object);
  }

  /** What the API refuses is told, and harms no other object. */
  #try(change: () => unknown, place?: string): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const isGone = place === undefined && error.status.code === 404;
      if (!isGone) this.#log.error(`${place ?? "--manifests"}: ${error.message}`);
    }
  }
}

/** Paths of the manifest files below `dir`, sorted. Names that start with a dot are left alone, as are editors' copies. */
async function manifestPaths(dir: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (name.startsWith(".")) continue;
    const path = join(dir, name);
    if (isDirectory) paths.push(...await manifestPaths(path).catch(noneIfGone));
    else if (/\.(ya?ml|json)$/.test(name)) paths.push(path);
  }
  return paths.sort();
}

/** A folder may go between being listed and being looked into. */
function noneIfGone(error: unknown): string[] {
  if (error instanceof Deno.errors.NotFound) return [];
  throw error;
}

/** Changes when the file does; nothing when it is gone or no file. Symlinks are followed: mounted volumes consist of them. */
async function fingerprintOf(path: string): Promise<string | undefined> {
  const stat = await Deno.stat(path).catch(() => undefined);
  if (!stat?.isFile) return undefined;
  return [stat.dev, stat.ino, stat.size, stat.mtime?.getTime()].join(" ");
}

/** `Secret grafana/datasources` */
function keyOf({ kind, metadata: { namespace, name } }: StoredObject): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
