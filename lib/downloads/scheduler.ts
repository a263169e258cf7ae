import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Version } from "../objects/version.ts";
import { isDiskFault } from "../files/publish_error.ts";
import type { TemporaryFile } from "../files/temporary_file.ts";
import type { ContentSink } from "./fetcher.ts";
import { Slots } from "./slots.ts";

export interface DownloadSchedulerOptions {
  /** Streams what a URL serves. */
  fetcher: { fetchTo(url: string, sink: ContentSink, signal: AbortSignal): Promise<void> };
  publisher: {
    open(path: string): TemporaryFile;
    commit(file: TemporaryFile, owner: string): boolean;
  };
  onWritten(ref: ObjectRef, path: string): void;
  /** A download failed that did not fail before; it is tried again. The reason begins with the path. */
  onFailed(ref: ObjectRef, path: string, reason: string): void;
  /** {@link DownloadScheduler.awaited}, `undecided` or `failed` changed. */
  onChange(): void;
  /** First delay before a failed download is tried again, in seconds. */
  firstBackoff: number;
  /** Seconds after which a download counts as slow: it goes on, and neither readiness nor other downloads wait for it. */
  slowAfter: number;
  /** Seconds after which the URL of an unchanged object is fetched again when a list brings the object; 0: never. */
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
  /** When the download began, in milliseconds of the clock. */
  since: number;
  /** What the file looked like after the download; `undefined` before its end. */
  file?: string | undefined;
}

/** Keeps files in step with the URLs that serve their content: a few at a time, and each again until it succeeds. */
export class DownloadScheduler {
  readonly #options: DownloadSchedulerOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #awaited = new Set<string>();
  readonly #undecided = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #diskFaults = new Map<string, string>();
  /** Downloads that have not cleaned up behind themselves. */
  readonly #unfinished = new Set<Promise<void>>();
  readonly #slots: Slots;

  constructor(options: DownloadSchedulerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.clock, options.slowAfter);
  }

  /** Paths whose first download has neither ended nor become slow. */
  get awaited(): ReadonlySet<string> {
    return this.#awaited;
  }

  /** Paths whose first download has not ended. */
  get undecided(): ReadonlySet<string> {
    return this.#undecided;
  }

  /** Paths whose last download failed. An earlier file, if there was one, is still there. */
  get failed(): ReadonlySet<string> {
    return this.#failed;
  }

  /** Those of {@link DownloadScheduler.failed} where the disk failed, with the reason. */
  get diskFaults(): ReadonlyMap<string, string> {
    return this.#diskFaults;
  }

  /**
   * From now on the path is to hold what the URL serves. For an unchanged object this fetches nothing, unless it is time
   * for a refresh or somebody else changed the file.
   */
  want(path: string, url: string, ref: ObjectRef, owner: string, version: Version): void {
    const before = this.#wanted.get(path);
    if (before?.url === url && before.owner === owner) {
      const isUnchanged = before.version === version;
      before.version = version;
      if (before.file === undefined) {
        // A changed object need not wait for the end of its backoff
        if (isUnchanged || !this.#failed.has(path)) return;
      } else if (isUnchanged && !this.#isOld(before) && before.file === looksOf(path)) return;
    }
    before?.stop.abort();
    const since = this.#options.clock.now();
    const wanted: Wanted = { url, owner, version, stop: new AbortController(), since };
    this.#wanted.set(path, wanted);
    this.#awaited.add(path);
    this.#undecided.add(path);
    this.#options.onChange();
    const task = this.#keepTrying(path, wanted, ref);
    this.#unfinished.add(task);
    task.finally(() => this.#unfinished.delete(task));
  }

  /** The path no longer comes from a URL. The file stays. */
  forget(path: string): void {
    const wanted = this.#wanted.get(path);
    if (wanted === undefined) return;
    wanted.stop.abort();
    this.#wanted.delete(path);
    this.#decide(path, { isFailure: false });
  }

  /** Ends all downloads. Resolves when they have removed their temporary files. */
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
        await this.#slots.run(
          () => this.#download(path, url, ref, owner, signal),
          () => this.#awaited.delete(path) && this.#options.onChange(),
        );
        wanted.file = looksOf(path);
        this.#decide(path, { isFailure: false });
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = `${path}: ${error instanceof Error ? error.message : error}`;
        if (!this.#failed.has(path)) {
          const object = describeRef(ref);
          log.error(`${object}: ${reason}; an earlier file is kept, trying again`, { object });
          this.#options.onFailed(ref, path, reason);
        }
        if (isDiskFault(error)) this.#diskFaults.set(path, reason);
        else this.#diskFaults.delete(path);
        this.#decide(path, { isFailure: true });
        await clock.sleep(backoff.next(), signal).catch(() => {});
      }
    }
  }

  async #download(path: string, url: string, ref: ObjectRef, owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { publisher, fetcher, onWritten } = this.#options;
    using file = publisher.open(path);
    await fetcher.fetchTo(url, { restart: () => file.empty(), write: (chunk) => file.write(chunk) }, signal);
    signal.throwIfAborted();
    if (publisher.commit(file, owner)) onWritten(ref, path);
  }

  #isOld({ since }: Wanted): boolean {
    const { refresh, clock } = this.#options;
    return refresh > 0 && clock.now() >= since + refresh * 1000;
  }

  #decide(path: string, { isFailure }: { isFailure: boolean }): void {
    if (!isFailure) this.#diskFaults.delete(path);
    if (isFailure) this.#failed.add(path);
    else this.#failed.delete(path);
    this.#awaited.delete(path);
    this.#undecided.delete(path);
    this.#options.onChange();
  }
}

/** Differs when somebody changed the file; `undefined` when it is gone. */
function looksOf(path: string): string | undefined {
  try {
    const { ino, size, mode, mtime } = Deno.lstatSync(path);
    return [ino, size, mode, mtime?.getTime()].join(" ");
  } catch {
    return undefined;
  }
}
