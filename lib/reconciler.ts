/**
 * One rule's way from objects to files. Level-triggered: an event says only "look at this object"; from the object comes
 * what it wants (Projection), from all objects who gets what (Claims), and only the difference to the disk is done
 * (Publisher). An object's body is dropped as soon as it is published; whoever needs it again reads it from the API.
 */
import { Backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { type Claimant, Claims, type ClaimsChange } from "./files/claims.ts";
import type { Journal } from "./files/journal.ts";
import { project, type ProjectionSettings, type WantedFile } from "./files/projection.ts";
import { type Publisher, PublishError } from "./files/publisher.ts";
import { RefusedPathError } from "./files/roots.ts";
import { describeRef, type KubeObject, type ObjectRef, type Source } from "./kube/objects.ts";

/** What happened to an object's files, for whoever counts or tells. */
export type FileEvent =
  | { type: "written" | "removed"; ref: ObjectRef; paths: string[] }
  /** Nothing of the object, or not all of it, can become files. */
  | { type: "refused"; ref: ObjectRef; reason: string }
  | { type: "collided"; ref: ObjectRef; winner: ObjectRef; path: string }
  /** The disk would not have it; tried again. */
  | { type: "failed"; ref: ObjectRef; reason: string };

/** Files whose content is served elsewhere; see `url_downloads.ts`. */
export interface Downloads {
  /** The path is to hold what the URL serves. Replaces what was wanted there before. */
  want(path: string, url: string, ref: ObjectRef, owner: string): void;
  /** The path no longer comes from a URL. */
  forget(path: string): void;
  /** Resolves when each download that is wanted was tried at least once. */
  settled(): Promise<void>;
}

export interface ReconcilerLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
  error(message: string, properties?: Record<string, unknown>): void;
}

export interface ReconcilerOptions {
  settings: ProjectionSettings;
  sources: readonly Source[];
  publisher: Publisher;
  journal: Journal;
  downloads: Downloads;
  /** Reads an object anew; `undefined`: it is gone, or no longer selected. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  onEvent(event: FileEvent): void;
  clock: Clock;
  random: () => number;
  /** First delay before a failed write is tried again, in seconds. */
  firstBackoff: number;
  log: ReconcilerLog;
}

/** Seconds to sleep when only a wake-up can end it: the longest that a timer holds. */
const NEVER = 2_000_000;

/** What is kept of an object: never its body. */
interface Tracked extends Claimant {
  readonly source: Source;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The list that saw it last. */
  list: number;
}

interface SourceState {
  /** Number of the list under way, or of the last one. */
  list: number;
  synced: boolean;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #claims = new Claims<Tracked>();
  readonly #sources = new Map<Source, SourceState>();
  /** Objects to read and publish again: at once, */
  readonly #due = new Set<string>();
  /** when the first sync is complete, */
  readonly #deferred = new Set<string>();
  /** and after a delay, because the disk refused. */
  readonly #failed = new Map<string, PublishError>();
  /** A file that had to go is still there. */
  #removalFailed = false;
  #wake = Promise.withResolvers<void>();
  readonly #backoff: Backoff;
  /** When what failed is tried again; by the clock, in ms. */
  #retryAt: number | undefined;
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ first: options.firstBackoff, random: options.random });
    for (const source of options.sources) this.#sources.set(source, { list: 0, synced: false });
  }

  /** Objects that are selected now. */
  get objects(): number {
    return this.#claims.objectCount;
  }

  /** Paths that are wanted now. */
  get files(): number {
    return this.#claims.size;
  }

  /** Files that could not be written or removed, one reason for each object concerned. */
  get failures(): string[] {
    return [...this.#failed.values()].map(({ message }) => message);
  }

  /** Whether there is a file that should be gone and is not, or should be there and is not. */
  get isIncomplete(): boolean {
    return this.#failed.size > 0 || this.#removalFailed;
  }

  /** Sources that have not been listed in full yet. */
  get unsynced(): Source[] {
    return [...this.#sources].filter(([, state]) => !state.synced).map(([source]) => source);
  }

  /** A list of a source begins. */
  beginList(source: Source): void {
    this.#stateOf(source).list++;
  }

  /** A list of a source was complete: what it did not bring is gone. */
  endList(source: Source): void {
    const state = this.#stateOf(source);
    for (const object of [...this.#claims.objects()]) {
      if (object.source === source && object.list !== state.list) this.#forget(object);
    }
    if (!state.synced) {
      state.synced = true;
      if (this.unsynced.length === 0) this.#finishFirstSync();
    }
    if (this.unsynced.length === 0) this.#options.journal.tidy();
  }

  /** An object as it is now. `listed`: it came in a list, so the disk is compared though it may not have changed. */
  apply(source: Source, object: KubeObject, listed: boolean): void {
    const { uid, resourceVersion, namespace, name, creationTimestamp } = object.metadata;
    const ref: ObjectRef = { kind: source.kind, namespace, name };
    const key = keyOf(ref);
    const before = this.#claims.get(key);
    const { list } = this.#stateOf(source);
    if (before !== undefined && !listed && before.uid === uid) {
      const isKnown = before.resourceVersion === resourceVersion && !this.#due.has(key) && !this.#failed.has(key);
      if (isKnown || isOlder(resourceVersion, before.resourceVersion)) return;
    }
    const { files, refusals } = project(source.kind, object, this.#options.settings);
    const unchanged = before?.uid === uid && before.resourceVersion === resourceVersion;
    if (!unchanged) { for (const reason of refusals) this.#refuse(ref, reason); }
    const change = this.#claims.set(
      {
        key,
        ...ref,
        created: Math.floor(Date.parse(creationTimestamp) / 1000) || 0,
        paths: files.map(({ path }) => path),
        source,
        uid,
        resourceVersion,
        list,
      },
    );
    this.#due.delete(key);
    this.#tellCollisions(change);
    this.#publish(ref, key, files.filter(({ path }) => change.won.has(path)));
    this.#follow(ref, change);
  }

  /** An object that is gone, or no longer selected. */
  delete(source: Source, object: KubeObject): void {
    const { namespace, name, uid } = object.metadata;
    const before = this.#claims.get(keyOf({ kind: source.kind, namespace, name }));
    // An object of the same name that was made since is another object
    if (before !== undefined && (uid === undefined || before.uid === uid)) this.#forget(before);
  }

  /** Resolves once every source was listed in full and every file was tried. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Repeats what failed and restores losers that became winners, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#checkSynced();
      if (this.#due.size === 0) await this.#waitForWork(signal);
      if (signal.aborted) return;
      await this.#pass([...this.#due], signal);
    }
  }

  /** Does what is due, once; what fails stays failed. For METHOD=LIST. */
  async settle(signal: AbortSignal): Promise<void> {
    while (this.#due.size > 0 && !signal.aborted) await this.#pass([...this.#due], signal);
    await this.#options.downloads.settled();
  }

  /** Resolves when something is due: at once for what was told, after a delay for what failed. */
  async #waitForWork(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#wake = Promise.withResolvers();
    this.#retryAt = this.isIncomplete ? this.#retryAt ?? clock.now() + this.#backoff.next() * 1000 : undefined;
    const delay = this.#retryAt === undefined ? NEVER : Math.max(0, this.#retryAt - clock.now()) / 1000;
    const timer = new AbortController();
    const stop = () => timer.abort();
    signal.addEventListener("abort", stop, { once: true });
    const timeIsUp = clock.sleep(delay, timer.signal).then(() => true, () => false);
    const retry = await Promise.race([timeIsUp, this.#wake.promise.then(() => false)]);
    timer.abort();
    signal.removeEventListener("abort", stop);
    if (!retry) return;
    this.#retryAt = undefined;
    for (const key of this.#failed.keys()) this.#due.add(key);
    if (this.#removalFailed) this.#removeOrphans();
  }

  async #pass(keys: string[], signal: AbortSignal): Promise<void> {
    for (const key of keys) {
      const before = this.#claims.get(key);
      if (before === undefined) {
        this.#due.delete(key);
        this.#failed.delete(key);
        continue;
      }
      try {
        const object = await this.#options.read(before.source, before, signal);
        // Whatever happened to the object meanwhile has been done already
        if (this.#claims.get(key) !== before) continue;
        this.#due.delete(key);
        if (object === undefined) this.#forget(before);
        else this.apply(before.source, object, true);
      } catch (error) {
        if (signal.aborted) return;
        this.#due.delete(key);
        const reason = `cannot read ${describeRef(before)} again: ${messageOf(error)}`;
        this.#failed.set(key, new PublishError(reason, { cause: error }));
      }
    }
    if (!this.isIncomplete) this.#backoff.reset();
  }

  #publish(ref: ObjectRef, key: string, files: readonly WantedFile[]): void {
    const { publisher, downloads, log } = this.#options;
    const written: string[] = [];
    const failedBefore = this.#failed.get(key);
    this.#failed.delete(key);
    for (const { path, content } of files) {
      if (this.#mustWait(path, key)) {
        this.#deferred.add(key);
        continue;
      }
      if ("url" in content) {
        downloads.want(path, content.url, ref, key);
        continue;
      }
      downloads.forget(path);
      if ("broken" in content) continue;
      try {
        if (publisher.publish(path, content.bytes, key)) written.push(path);
      } catch (error) {
        this.#fail(ref, key, error, failedBefore);
      }
    }
    if (written.length === 0) return;
    log.info(`${describeRef(ref)}: wrote ${summary(written)}`, {
      object: describeRef(ref),
      files: written.slice(0, 10),
    });
    this.#options.onEvent({ type: "written", ref, paths: written });
  }

  /**
   * Until the first sync is complete a path that an earlier run wrote for another object is left as it is: that object may
   * yet be listed, and may be the winner.
   */
  #mustWait(path: string, key: string): boolean {
    if (this.unsynced.length === 0) return false;
    const owner = this.#options.journal.owned.get(path);
    return owner !== undefined && owner !== key && this.#claims.get(owner) === undefined;
  }

  #fail(ref: ObjectRef, key: string, error: unknown, before: PublishError | undefined): void {
    if (error instanceof RefusedPathError) return this.#refuse(ref, error.message);
    if (!(error instanceof PublishError)) throw error;
    this.#failed.set(key, error);
    this.#wake.resolve();
    if (before?.message === error.message) return;
    this.#options.log.error(`${describeRef(ref)}: ${error.message}; trying again`, { object: describeRef(ref) });
    this.#options.onEvent({ type: "failed", ref, reason: error.message });
  }

  #refuse(ref: ObjectRef, reason: string): void {
    this.#options.log.error(`${describeRef(ref)} refused: ${reason}`, { object: describeRef(ref) });
    this.#options.onEvent({ type: "refused", ref, reason });
  }

  #tellCollisions({ collisions }: ClaimsChange): void {
    for (const { path, winner, loser } of collisions) {
      this.#options.log.warn(
        `${path} is claimed by ${describeRef(winner)} and ${describeRef(loser)}: ${describeRef(winner)} has it, ` +
          "the older one or the first by name (UNIQUE_FILENAMES=true gives each its own)",
        { path },
      );
      this.#options.onEvent({ type: "collided", ref: loser, winner, path });
    }
  }

  #forget(object: Tracked): void {
    for (const set of [this.#due, this.#deferred, this.#failed]) set.delete(object.key);
    this.#follow(object, this.#claims.delete(object.key));
  }

  /** What must happen to the paths that an object no longer has. */
  #follow(ref: ObjectRef, { freed, inherited }: ClaimsChange): void {
    for (const { path, heir } of inherited) {
      this.#options.downloads.forget(path);
      this.#due.add(heir);
    }
    if (inherited.length > 0) this.#wake.resolve();
    for (const path of freed) this.#options.downloads.forget(path);
    // Until then an object that was not listed yet may want the path; what nobody wants goes when all are known
    if (this.unsynced.length > 0) return;
    this.#remove(freed, ref);
  }

  #remove(paths: readonly string[], ref: ObjectRef): void {
    const { publisher, log, onEvent } = this.#options;
    const removed: string[] = [];
    for (const path of paths) {
      try {
        if (publisher.remove(path)) removed.push(path);
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        log.error(`${describeRef(ref)}: ${error.message}; trying again`, { object: describeRef(ref) });
        this.#removalFailed = true;
        this.#wake.resolve();
      }
    }
    if (removed.length === 0) return;
    log.info(`${describeRef(ref)}: removed ${summary(removed)}`, {
      object: describeRef(ref),
      files: removed.slice(0, 10),
    });
    onEvent({ type: "removed", ref, paths: removed });
  }

  /** Removes what is ours and wanted by nobody: files of objects that went while nobody looked. */
  #removeOrphans(): void {
    this.#removalFailed = false;
    const orphans = [...this.#options.journal.owned].filter(([path]) => this.#claims.winnerOf(path) === undefined);
    for (const [path, owner] of orphans) this.#remove([path], refOf(owner));
  }

  #finishFirstSync(): void {
    for (const key of this.#deferred) this.#due.add(key);
    this.#deferred.clear();
    this.#removeOrphans();
    this.#wake.resolve();
  }

  /** The first sync is complete when every file is there, but for those that no disk could hold. */
  #checkSynced(): void {
    if (this.unsynced.length > 0 || this.#due.size > 0) return;
    if ([...this.#failed.values()].some((error) => !error.isOfThePath)) return;
    this.#options.downloads.settled().then(() => this.#synced.resolve());
  }

  #stateOf(source: Source): SourceState {
    const state = this.#sources.get(source);
    if (state === undefined) throw new TypeError(`unknown source ${JSON.stringify(source)}`);
    return state;
  }
}

function keyOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

function refOf(key: string): ObjectRef {
  const [kind, namespace = "", name = ""] = key.split("/");
  return { kind: kind === "Secret" ? "Secret" : "ConfigMap", namespace, name };
}

/** Whether a version of the same object is older than another. Versions that are no numbers cannot be compared. */
function isOlder(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b);
}

function summary(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0] ?? "" : `${paths.length} files`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
