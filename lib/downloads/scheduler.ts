import { Backoff } from "../runtime/backoff.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { aboutObject, describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Version } from "../objects/version.ts";
import type { DeferredContent } from "../files/projection.ts";
import { isDiskFault, PublishError, reasonOf } from "../files/publish_error.ts";
import { ArchiveError } from "./archive_error.ts";
import { attempt, type AttemptOptions, type KeptAnswer, looksOf } from "./attempt.ts";
import { ByteLimitError } from "./byte_limits.ts";
import { RefusedHostError } from "../http/transport.ts";
import { given } from "../runtime/given.ts";
import { messageOf } from "../runtime/message_of.ts";
import { DownloadQueue } from "./download_queue.ts";
import { BusyHostError } from "./fetch_error.ts";
import type { DownloadTurns } from "./shared_downloads.ts";

export interface DownloadSchedulerOptions extends AttemptOptions {
  onWritten(ref: ObjectRef, path: string): void;
  /**
   * A download failed that did not fail before; it is tried again. The reason begins with the path and says nothing of
   * the network: it becomes an Event, and the object's owner may not know what stands where.
   */
  onFailed(ref: ObjectRef, path: string, reason: string): void;
  /**
   * A host, an archive or a download beyond the limits was refused; tried again when the object changes, at the refresh, or
   * when there is room. The reason is as above.
   */
  onRefused(ref: ObjectRef, path: string, reason: string): void;
  /** An attempt has ended: `isDownload`, or it only unpacked an archive; with its error, if it failed. */
  onAttempt(isDownload: boolean, error?: unknown): void;
  /** {@link DownloadScheduler.awaited}, `unpacking` or `failed` changed. */
  onChange(): void;
  /** First delay before a failed download is tried again, in seconds. */
  firstBackoff: number;
  /** Decides when a download runs. */
  turns: DownloadTurns;
  /** Seconds after which the URL of an unchanged object is fetched again when a list brings the object; 0: never. */
  refresh: number;
  clock: Clock;
  random: () => number;
  /** `false` with METHOD=LIST. */
  retries?: boolean;
  log: Pick<Log, "info" | "error">;
}

/** Archives unpacked at one time. */
const MAX_UNPACKING = 4;

/** What a path is to hold. */
interface Wanted {
  /** `undefined` for an archive in the object itself. */
  url: string | undefined;
  isGzip: boolean;
  /** Key of the object that wants it, and its version. */
  owner: string;
  version: Version;
  stop: AbortController;
  /** When the download began, in milliseconds of the clock. */
  since: number;
  /** What the file looked like after the download, even a refused one; `undefined` before its end. */
  file?: string;
  /** Why the host, the archive or the size was refused the last time. */
  refusal: string | undefined;
  /** Why the last attempt failed. */
  failure?: string;
  /** The last answer of the URL whose content was put at the path. */
  kept: KeptAnswer | undefined;
}

/** A download, or an archive, whose content is not on disk. An earlier file, if there was one, is still there. */
export interface UndeliveredContent {
  path: string;
  /** Key of the object. */
  owner: string;
  /** `awaited`: the first attempt has not ended. */
  state: "awaited" | "failed" | "refused";
  /** Why; it does not name the path. */
  reason?: string;
  isArchive: boolean;
  isDiskFault: boolean;
}

/**
 * Keeps files in step with the URLs and archives that their content comes from: a few at a time, and each again until it
 * succeeds.
 */
export class DownloadScheduler {
  readonly #options: DownloadSchedulerOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #awaited = new Set<string>();
  readonly #unpacking = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #diskFaults = new Map<string, string>();
  /** Downloads that have not cleaned up behind themselves. */
  readonly #unfinished = new Set<Promise<void>>();
  /** Of archives that are not downloaded: they wait for no server. */
  readonly #unpackingTurns: DownloadTurns = new DownloadQueue().join(MAX_UNPACKING);

  constructor(options: DownloadSchedulerOptions) {
    this.#options = options;
  }

  /**
   * Paths whose URL was not asked yet, or did not answer in full. A failure is an end, other than a host's wish to be asked
   * later.
   */
  get awaited(): ReadonlySet<string> {
    return this.#awaited;
  }

  /** Paths whose archive, which is in the object itself, is not unpacked yet. */
  get unpacking(): ReadonlySet<string> {
    return this.#unpacking;
  }

  /** Paths whose last download failed and is tried again. An earlier file, if there was one, is still there. */
  get failed(): ReadonlySet<string> {
    return this.#failed;
  }

  /** Paths whose host, archive or size is refused. An earlier file, if there was one, is still there. */
  get refused(): string[] {
    return [...this.#wanted].filter(([, { refusal }]) => refusal !== undefined).map(([path]) => path);
  }

  /** All content that is awaited, has failed or is refused. */
  *undelivered(): Generator<UndeliveredContent, void> {
    for (const [path, { owner, url, refusal, failure }] of this.#wanted) {
      const isAwaited = this.#awaited.has(path) || this.#unpacking.has(path);
      const reason = refusal ?? (this.#failed.has(path) ? failure : undefined);
      if (reason === undefined && !isAwaited) continue;
      yield {
        ...{ path, owner, isArchive: url === undefined, isDiskFault: this.#diskFaults.has(path) },
        state: refusal !== undefined ? "refused" : reason === undefined ? "awaited" : "failed",
        ...given("reason", reason),
      };
    }
  }

  /** Those of {@link DownloadScheduler.failed} where the disk failed, with the reason. */
  get diskFaults(): ReadonlyMap<string, string> {
    return this.#diskFaults;
  }

  /**
   * From now on the path is to hold what the URL serves, or what is in the archive. For an unchanged object this does
   * nothing, unless it is time to fetch again or somebody else changed the file.
   */
  want(path: string, content: DeferredContent, ref: ObjectRef, owner: string, version: Version): void {
    const url = "url" in content ? content.url : undefined;
    const isGzip = content.isGzip === true;
    const known = this.#wanted.get(path);
    const before = known?.url === url && known?.isGzip === isGzip && known.owner === owner ? known : undefined;
    if (before !== undefined) {
      const isUnchanged = before.version === version;
      before.version = version;
      if (before.file === undefined) {
        // A changed object need not wait for the end of its backoff
        if (isUnchanged || (url !== undefined && !this.#failed.has(path))) return;
      } else if (isUnchanged && !this.#isOld(before) && before.file === looksOf(path)) return;
    }
    known?.stop.abort();
    const since = this.#options.clock.now();
    const stop = new AbortController();
    const wanted: Wanted = { url, isGzip, owner, version, stop, since, refusal: before?.refusal, kept: before?.kept };
    this.#wanted.set(path, wanted);
    this.#awaited.delete(path);
    this.#unpacking.delete(path);
    (url === undefined ? this.#unpacking : this.#awaited).add(path);
    this.#options.onChange();
    const task = this.#keepTrying(path, wanted, content, ref);
    this.#unfinished.add(task);
    task.finally(() => this.#unfinished.delete(task));
  }

  /** The path no longer has such content. The file stays. */
  forget(path: string): void {
    const wanted = this.#wanted.get(path);
    if (wanted === undefined) return;
    wanted.stop.abort();
    this.#wanted.delete(path);
    this.#options.limits.forget(path);
    this.#decide(path, { isFailure: false });
  }

  /** Ends all downloads. Resolves when they have removed their temporary files. */
  async close(): Promise<void> {
    for (const path of [...this.#wanted.keys()]) this.forget(path);
    await Promise.all(this.#unfinished);
  }

  async #keepTrying(path: string, wanted: Wanted, content: DeferredContent, ref: ObjectRef): Promise<void> {
    const { clock, random, firstBackoff, limits, onWritten, retries = true, log } = this.#options;
    const { owner, stop: { signal } } = wanted;
    const turns = "url" in content ? this.#options.turns : this.#unpackingTurns;
    const place = { namespace: ref.namespace, origin: URL.parse(wanted.url ?? "")?.origin ?? "" };
    let isWritten = false;
    const target = {
      ...{ path, content, owner },
      onWritten() {
        isWritten = true;
        onWritten(ref, path);
      },
    };
    const backoff = new Backoff({ first: firstBackoff, random });
    for (let isRetry = false; !signal.aborted; isRetry = true) {
      try {
        wanted.kept = await turns.run(
          { ...place, isRetry },
          signal,
          () => attempt(this.#options, target, wanted.kept, signal),
        );
        if (signal.aborted) return;
        this.#options.onAttempt("url" in content);
        const hasFailed = this.#failed.has(path) || wanted.refusal !== undefined;
        if (hasFailed && !isWritten) {
          log.info(`${describeRef(ref)}: ${path} is in place again`, { ...aboutObject(ref), path });
        }
        wanted.refusal = undefined;
        wanted.file = looksOf(path);
        this.#decide(path, { isFailure: false });
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onAttempt("url" in content, error);
        if (error instanceof ArchiveError || error instanceof RefusedHostError) {
          return this.#refuse(path, wanted, ref, error);
        }
        if (error instanceof ByteLimitError) {
          this.#refuse(path, wanted, ref, error);
          await limits.room(path, owner, error, signal);
          await clock.sleep(backoff.next(), signal).catch(() => {});
          continue;
        }
        const isAdviceMissing = isDiskFault(error) && !(error instanceof PublishError);
        wanted.failure = isAdviceMissing ? reasonOf(error) : messageOf(error);
        const reason = `${path}: ${wanted.failure}`;
        if (!this.#failed.has(path)) {
          const isOfDisk = !("url" in content) || error instanceof PublishError || isDiskFault(error);
          // Removes a file that an object before this one left
          this.#options.onFailed(ref, path, isOfDisk ? reason : `${path}: the download failed`);
          const kept = exists(path) ? "; the file that is there stays" : "";
          const next = retries || error instanceof BusyHostError ? "; trying again" : "";
          log.error(`${describeRef(ref)}: ${reason}${kept}${next}`, { ...aboutObject(ref), path });
        }
        if (isDiskFault(error)) this.#diskFaults.set(path, reason);
        else this.#diskFaults.delete(path);
        if (error instanceof BusyHostError) {
          this.#failed.add(path);
          this.#options.onChange();
          // Its next turn comes when the pause of the host is over
          continue;
        }
        this.#decide(path, { isFailure: true });
        await clock.sleep(backoff.next(), signal).catch(() => {});
      }
    }
  }

  #refuse(path: string, wanted: Wanted, ref: ObjectRef, error: Error): void {
    if (wanted.refusal !== error.message) {
      const reason = `${path}: ${error instanceof ArchiveError ? "cannot unpack the archive: " : ""}${error.message}`;
      this.#options.onRefused(ref, path, wanted.url === undefined ? reason : `${path}: the download was refused`);
      const kept = exists(path) ? "; its last accepted file stays" : "";
      this.#options.log.error(`${describeRef(ref)} refused: ${reason}${kept}`, { ...aboutObject(ref), path });
    }
    wanted.refusal = error.message;
    wanted.file = looksOf(path);
    this.#decide(path, { isFailure: false });
  }

  #isOld({ url, since }: Wanted): boolean {
    const { refresh, clock } = this.#options;
    return url !== undefined && refresh > 0 && clock.now() >= since + refresh * 1000;
  }

  #decide(path: string, { isFailure }: { isFailure: boolean }): void {
    if (!isFailure) this.#diskFaults.delete(path);
    if (isFailure) this.#failed.add(path);
    else this.#failed.delete(path);
    this.#awaited.delete(path);
    this.#unpacking.delete(path);
    this.#options.onChange();
  }
}

function exists(path: string): boolean {
  return looksOf(path) !== "";
}
