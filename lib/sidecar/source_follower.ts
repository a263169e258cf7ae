/** Follows one source: what its watcher yields goes to a sink, and how it fares into log, metrics and health. */
import { ApiError, isFinal } from "../kube/client/errors.ts";
import { describeSource, type WatchTarget } from "../objects/source.ts";
import type { Watcher, WatcherEvent } from "../kube/watch/watcher.ts";
import { TransportError } from "../http/transport.ts";
import type { Clock } from "../runtime/clock.ts";
import { TimeSlice } from "../runtime/time_slice.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { ObjectSink } from "./object_sink.ts";
import type { Outages } from "./outages.ts";

type Failed = WatcherEvent & { type: "failed" };

export interface SourceFollowerOptions {
  source: WatchTarget;
  watcher: Pick<Watcher, "run">;
  sink: ObjectSink;
  outages: Outages;
  onFailure(error: unknown): void;
  clock: Clock;
  log: Log;
}

/** METHOD=LIST gives up after so many failures in a row: whoever waits for it can start it again. */
const LIST_ATTEMPTS = 3;

export class SourceFollower {
  readonly #options: SourceFollowerOptions;
  readonly #slice: TimeSlice;
  /** By the clock, in ms. */
  #contactAt: number;
  #failure: string | undefined;
  #wasForbidden = false;
  /** The failure that the log told of last. */
  #told: string | undefined;

  constructor(options: SourceFollowerOptions) {
    this.#options = options;
    this.#slice = new TimeSlice(options.clock);
    this.#contactAt = options.clock.now();
  }

  /** There was a sign of the API server. */
  contacted(): void {
    this.#contactAt = this.#options.clock.now();
  }

  /** Seconds since the last sign of the API server. */
  get silence(): number {
    return (this.#options.clock.now() - this.#contactAt) / 1000;
  }

  get source(): WatchTarget {
    return this.#options.source;
  }

  /** Why the source fails now; `undefined` when it works. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Until the signal aborts. `once`: until the source was listed in full, or there is no use in trying on. */
  async run(signal: AbortSignal, { once }: { once: boolean }): Promise<void> {
    for await (const event of this.#options.watcher.run(signal)) {
      if (event.type !== "failed") {
        await this.#take(event, signal);
        if (once && event.type === "initDone") return;
      } else {
        const isLast = once && givesUp(event);
        this.#failed(event, isLast);
        if (isLast) return;
      }
    }
  }

  async #take(event: Exclude<WatcherEvent, Failed>, signal: AbortSignal): Promise<void> {
    const { sink } = this.#options;
    switch (event.type) {
      case "init":
        return sink.beginList();
      case "initDone":
        this.#works();
        return sink.endList();
      case "resumed":
        return this.#works();
      case "delete":
        this.#works();
        return sink.delete(event.object);
      case "apply":
        this.#works();
        return await sink.apply(event.object, false, signal);
      case "initApply":
        this.#slice.begin();
        for (const object of event.objects) {
          if (this.#slice.isOver) await this.#slice.pause();
          await sink.apply(object, true, signal);
        }
    }
  }

  /**
   * One line when something begins to fail and one when it changes; what only repeats is for the debug log.
   *
   * @param isLast there is no further attempt: METHOD=LIST tells of it when it ends
   */
  #failed({ error, retryIn, failures }: Failed, isLast: boolean): void {
    const { log, onFailure, source } = this.#options;
    const reason = reasonOf(error, source);
    onFailure(error);
    if (retryIn === 0 && !isLast) return log.debug(`listing ${describeSource(source)} anew: ${reason}`);
    const isForbidden = error instanceof ApiError && error.isForbidden;
    // A streaming list is refused as a watch, a list as a list: the same right is missing
    const isNews = this.#told !== reason && !(isForbidden && this.#wasForbidden);
    this.#failure = reason;
    this.#wasForbidden = isForbidden;
    if (isLast) return log.debug(reason, { failures });
    const line = `${reason}; again in ${retryIn.toFixed(1)} s`;
    if (!this.#mayTell(error, reason) || !isNews) return log.debug(line, { failures });
    this.#told = reason;
    if (isFinal(error)) log.error(line);
    else log.warn(line);
  }

  /** A server that is away is away for every source, so one of them tells. */
  #mayTell(error: unknown, reason: string): boolean {
    const { outages } = this.#options;
    if (error instanceof TransportError) return outages.begin(this, reason);
    outages.end(this);
    return true;
  }

  #works(): void {
    if (this.#failure === undefined) return;
    const hasTold = this.#told !== undefined;
    this.#failure = this.#told = undefined;
    this.#wasForbidden = false;
    this.#options.outages.end(this);
    const line = `following ${describeSource(this.source)} again`;
    if (hasTold) this.#options.log.info(line);
    else this.#options.log.debug(line);
  }
}

/** METHOD=LIST does not try again. */
function givesUp({ error, failures }: Failed): boolean {
  return isFinal(error) || failures >= LIST_ATTEMPTS;
}

function reasonOf(error: unknown, source: WatchTarget): string {
  if (!(error instanceof ApiError && error.isForbidden)) return messageOf(error);
  const verb = error.message.includes("cannot watch") ? "watch" : "list";
  const what = `not allowed to ${verb} ${describeSource(source)}`;
  return source.kind === "Namespace"
    ? `${what}: give the service account list and watch on namespaces by a ClusterRole, or name them with NAMESPACE`
    : `${what}: give the service account get, list and watch there by RBAC, or ask for less with NAMESPACE or RESOURCE`;
}
