/** Keeps files in step with the URLs that serve their content: a few downloads at a time, each repeated until it worked. */
import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Version } from "../objects/version.ts";
import type { Draft } from "../files/temporary_file.ts";
import type { ContentSink } from "./fetcher.ts";

export interface UrlDownloadsOptions {
  /** Streams what a URL serves. */
  content: { fetchTo(url: string, sink: ContentSink, signal: AbortSignal): Promise<void> };
  publisher: {
    draft(path: string): Draft;
    commit(draft: Draft, owner: string): boolean;
    discard(draft: Draft): void;
  };
  onWritten(ref: ObjectRef, path: string): void;
  onFailed(ref: ObjectRef, path: string, reason: string): void;
  /** First delay before a failed download is begun again, in seconds. */
  firstBackoff: number;
  /** Seconds after which a slow download goes on without holding up anybody: not those that wait, and not readiness. */
  turn: number;
  /** Seconds after which the URL of an object that did not change is asked again at a list; 0: never. */
  refresh: number;
  clock: Clock;
  random: () => number;
  log: { error(message: string, properties?: Record<string, unknown>): void };
}

/** What a path is to hold. */
interface Wanted {
  url: string;
  /** Key of the object that wants it, and its version. */
  owner: string;
  version: Version;
  stop: AbortController;
  /** When it was begun, by the clock. */
  since: number;
  /** What the file looked like when it was complete; until then the download is under way. */
  file?: string | undefined;
}

/** Paths of which something is waited for. */
class Awaited {
  readonly paths = new Set<string>();
  #none = Promise.withResolvers<void>();

  constructor() {
    this.#none.resolve();
  }

  /** Resolves when there are none. */
  get none(): Promise<void> {
    return this.#none.promise;
  }

  add(path: string): void {
    if (this.paths.size === 0) this.#none = Promise.withResolvers();
    this.paths.add(path);
  }

  delete(path: string): void {
    if (this.paths.delete(path) && this.paths.size === 0) this.#none.resolve();
  }
}

/** Downloads under way at one time, but for those that have had their turn. */
const CONCURRENCY = 4;

export class UrlDownloads {
  readonly #options: UrlDownloadsOptions;
  readonly #wanted = new Map<string, Wanted>();
  /** Paths whose download neither came to an end yet nor has had its turn. */
  readonly #untried = new Awaited();
  /** Paths whose download came to no end yet. */
  readonly #undecided = new Awaited();
  readonly #failed = new Set<string>();
  /** What was begun, until it has cleaned up behind itself. */
  readonly #unfinished = new Set<Promise<void>>();
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: UrlDownloadsOptions) {
    this.#options = options;
  }

  /** Paths whose last download failed: an earlier file, if there was one, is still there. */
  get failed(): ReadonlySet<string> {
    return this.#failed;
  }

  /** Paths whose first download is under way, and is waited for. */
  get untried(): ReadonlySet<string> {
    return this.#untried.paths;
  }

  /**
   * The path is to hold what the URL serves. Of an object that has not changed it is not asked for again, until it is
   * time for that or somebody else changed the file.
   */
  want(path: string, url: string, ref: ObjectRef, owner: string, version: Version): void {
    const before = this.#wanted.get(path);
    if (before?.url === url && before.owner === owner) {
      const isUnchanged = before.version === version;
      before.version = version;
      if (before.file === undefined) {
        // One that failed is not waited for once its object changed
        if (isUnchanged || !this.#failed.has(path)) return;
      } else if (isUnchanged && !this.#isOld(before) && before.file === looksOf(path)) return;
    }
    before?.stop.abort();
    const since = this.#options.clock.now();
    const wanted: Wanted = { url, owner, version, stop: new AbortController(), since };
    this.#wanted.set(path, wanted);
    this.#untried.add(path);
    this.#undecided.add(path);
    const task = this.#keepTrying(path, wanted, ref);
    this.#unfinished.add(task);
    task.finally(() => this.#unfinished.delete(task));
  }

  forget(path: string): void {
    this.#wanted.get(path)?.stop.abort();
    this.#wanted.delete(path);
    this.#failed.delete(path);
    this.#decided(path);
  }

  /** Resolves when each download that is wanted was tried at least once, or has had its turn. */
  settled(): Promise<void> {
    return this.#untried.none;
  }

  /** Resolves when each download that is wanted was tried to its end at least once. */
  decided(): Promise<void> {
    return this.#undecided.none;
  }

  /** Resolves when what was cut short has left no temporary behind. */
  async close(): Promise<void> {
    for (const path of [...this.#wanted.keys()]) this.forget(path);
    await Promise.all(this.#unfinished);
  }

  async #keepTrying(path: string, wanted: Wanted, ref: ObjectRef): Promise<void> {
    const { clock, random, firstBackoff, log } = this.#options;
    const { url, owner, stop: { signal } } = wanted;
    const backoff = new Backoff({ first: firstBackoff, random });
    while (!signal.aborted) {
      try {
        await this.#inTurn(path, () => this.#download(path, url, ref, owner, signal));
        wanted.file = looksOf(path);
        this.#failed.delete(path);
        this.#decided(path);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = `${path}: ${error instanceof Error ? error.message : error}`;
        if (!this.#failed.has(path)) {
          log.error(`${describeRef(ref)}: ${reason}; an earlier file is kept, trying again`, {
            object: describeRef(ref),
          });
          this.#options.onFailed(ref, path, reason);
        }
        this.#failed.add(path);
        this.#decided(path);
        await clock.sleep(backoff.next(), signal).catch(() => {});
      }
    }
  }

  async #download(path: string, url: string, ref: ObjectRef, owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { publisher, content, onWritten } = this.#options;
    const draft = publisher.draft(path);
    try {
      await content.fetchTo(url, {
        restart: () => draft.empty(),
        write: (chunk) => draft.write(chunk),
      }, signal);
      signal.throwIfAborted();
    } catch (error) {
      publisher.discard(draft);
      throw error;
    }
    if (publisher.commit(draft, owner)) onWritten(ref, path);
  }

  async #inTurn(path: string, download: () => Promise<void>): Promise<void> {
    while (this.#running >= CONCURRENCY) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#running--;
      this.#queue.shift()?.();
    };
    const ended = new AbortController();
    const { clock, turn } = this.#options;
    clock.sleep(turn, ended.signal).then(() => {
      over();
      this.#untried.delete(path);
    }, () => {});
    try {
      await download();
    } finally {
      ended.abort();
      over();
    }
  }

  #isOld({ since }: Wanted): boolean {
    const { refresh, clock } = this.#options;
    return refresh > 0 && clock.now() >= since + refresh * 1000;
  }

  #decided(path: string): void {
    this.#untried.delete(path);
    this.#undecided.delete(path);
  }
}

/** Changes when somebody changes the file; nothing when it is gone. */
function looksOf(path: string): string | undefined {
  try {
    const { ino, size, mode, mtime } = Deno.lstatSync(path);
    return [ino, size, mode, mtime?.getTime()].join(" ");
  } catch {
    return undefined;
  }
}
