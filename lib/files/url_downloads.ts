/** Keeps files in step with the URLs that serve their content: a few downloads at a time, each repeated until it worked. */
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { describeRef, type ObjectRef } from "../kube/objects.ts";
import type { Draft } from "./draft.ts";
import type { ContentSink } from "./url_content.ts";

export interface UrlDownloadsOptions {
  /** Streams what a URL serves. */
  content: { fetchTo(url: string, sink: ContentSink, signal: AbortSignal): Promise<void> };
  publisher: {
    draft(path: string): Draft;
    commit(draft: Draft, owner: string): boolean;
    discard(draft: Draft): void;
  };
  onWritten(ref: ObjectRef, path: string): void;
  onFailed(ref: ObjectRef, reason: string): void;
  /** First delay before a failed download is begun again, in seconds. */
  firstBackoff: number;
  /** Seconds after which a slow download goes on without holding up anybody: not those that wait, and not readiness. */
  turn: number;
  clock: Clock;
  random: () => number;
  log: { error(message: string, properties?: Record<string, unknown>): void };
}

/** Downloads under way at one time, but for those that have had their turn. */
const CONCURRENCY = 4;

export class UrlDownloads {
  readonly #options: UrlDownloadsOptions;
  readonly #wanted = new Map<string, AbortController>();
  /** Paths whose download was not tried to its end yet. */
  readonly #untried = new Set<string>();
  readonly #failed = new Set<string>();
  /** What was begun, until it has cleaned up behind itself. */
  readonly #unfinished = new Set<Promise<void>>();
  #settled = Promise.withResolvers<void>();
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: UrlDownloadsOptions) {
    this.#options = options;
    this.#settled.resolve();
  }

  /** Paths whose last download failed: an earlier file, if there was one, is still there. */
  get failed(): ReadonlySet<string> {
    return this.#failed;
  }

  /** Paths whose first download is under way, and is waited for. */
  get untried(): ReadonlySet<string> {
    return this.#untried;
  }

  want(path: string, url: string, ref: ObjectRef, owner: string): void {
    this.#wanted.get(path)?.abort();
    const stop = new AbortController();
    this.#wanted.set(path, stop);
    if (this.#untried.size === 0) this.#settled = Promise.withResolvers();
    this.#untried.add(path);
    const task = this.#keepTrying(path, url, ref, owner, stop.signal);
    this.#unfinished.add(task);
    task.finally(() => this.#unfinished.delete(task));
  }

  forget(path: string): void {
    this.#wanted.get(path)?.abort();
    this.#wanted.delete(path);
    this.#failed.delete(path);
    this.#tried(path);
  }

  /** Resolves when each download that is wanted was tried at least once, or has had its turn. */
  settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Resolves when what was cut short has left no temporary behind. */
  async close(): Promise<void> {
    for (const path of [...this.#wanted.keys()]) this.forget(path);
    await Promise.all(this.#unfinished);
  }

  async #keepTrying(path: string, url: string, ref: ObjectRef, owner: string, signal: AbortSignal): Promise<void> {
    const { clock, random, firstBackoff, log } = this.#options;
    const backoff = new Backoff({ first: firstBackoff, random });
    while (!signal.aborted) {
      try {
        await this.#inTurn(path, () => this.#download(path, url, ref, owner, signal));
        this.#failed.delete(path);
        this.#tried(path);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = `${path}: ${error instanceof Error ? error.message : error}`;
        if (!this.#failed.has(path)) {
          log.error(`${describeRef(ref)}: ${reason}; an earlier file is kept, trying again`, {
            object: describeRef(ref),
          });
          this.#options.onFailed(ref, reason);
        }
        this.#failed.add(path);
        this.#tried(path);
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
      this.#tried(path);
    }, () => {});
    try {
      await download();
    } finally {
      ended.abort();
      over();
    }
  }

  #tried(path: string): void {
    if (this.#untried.delete(path) && this.#untried.size === 0) this.#settled.resolve();
  }
}
