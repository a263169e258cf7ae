/** Follows one source: passes its objects to a sink, and its failures to log and health. */
import { ApiError, CredentialsError, isFinal } from "../../kube/client/errors.ts";
import { describeSource, type WatchTarget } from "../../objects/source.ts";
import { failureOf, isExpected, type Restart } from "../../kube/watch/restarts.ts";
import type { Watcher, WatcherEvent } from "../../kube/watch/watcher.ts";
import { TransportError } from "../../http/transport.ts";
import type { Clock } from "../../runtime/clock.ts";
import { TimeSlice } from "../../runtime/time_slice.ts";
import type { Log } from "../../log/log.ts";
import { given } from "../../runtime/given.ts";
import { messageOf } from "../../runtime/message_of.ts";
import type { ObjectSink } from "./object_sink.ts";
import type { Outages } from "./outages.ts";

type Failed = WatcherEvent & { type: "failed" };

export interface SourceFailure {
  /** One line. */
  reason: string;
  cause: ReturnType<typeof failureOf>;
  /** Of the first failure in a row, and of the last one, by the clock in ms. */
  since: number;
  at: number;
}

export interface SourceProgress {
  /** A list is under way. */
  isListing: boolean;
  /** Watches, and lists, that had to be made again because something went wrong. */
  restarts: number;
  relists: number;
  /** Why it fails now. */
  failure?: SourceFailure;
  /** Why it fails now, or failed last. */
  lastFailure?: string;
}

export interface SourceFollowerOptions {
  source: WatchTarget;
  watcher: Pick<Watcher, "run">;
  sink: ObjectSink;
  outages: Outages;
  clock: Clock;
  log: Log;
}

/** METHOD=LIST gives up after this many consecutive failures. The caller can start it again. */
const LIST_ATTEMPTS = 3;

export class SourceFollower {
  readonly #options: SourceFollowerOptions;
  readonly #slice: TimeSlice;
  /** By the clock, in ms; `undefined`: never. */
  #contactAt: number | undefined;
  #syncedAt: number | undefined;
  #failure: SourceFailure | undefined;
  #lastFailure: string | undefined;
  #isListing = false;
  #restarts = 0;
  #relists = 0;
  #wasForbidden = false;
  /** The failure that was logged last. */
  #loggedReason: string | undefined;

  constructor(options: SourceFollowerOptions) {
    this.#options = options;
    this.#slice = new TimeSlice(options.clock);
  }

  /** The API server sent something. */
  contacted(): void {
    this.#contactAt = this.#options.clock.now();
  }

  /** When the API server last sent something, by the clock in ms; `undefined`: never. */
  get contactAt(): number | undefined {
    return this.#contactAt;
  }

  /** When the source was last listed in full. */
  get syncedAt(): number | undefined {
    return this.#syncedAt;
  }

  get source(): WatchTarget {
    return this.#options.source;
  }

  /** Why the source currently fails; `undefined` when it works. */
  get failure(): string | undefined {
    return this.#failure?.reason;
  }

  get state(): SourceProgress {
    return {
      isListing: this.#isListing,
      restarts: this.#restarts,
      relists: this.#relists,
      ...given("failure", this.#hasAnswered ? undefined : this.#failure),
      ...given("lastFailure", this.#lastFailure),
    };
  }

  /** The API server has answered since the last failure: a watch that is open again may be silent for a minute. */
  get #hasAnswered(): boolean {
    return this.#contactAt !== undefined && this.#failure !== undefined && this.#contactAt > this.#failure.at;
  }

  /** A watch or a list has to be made again. */
  restarted(restart: Restart): void {
    if (isExpected(restart)) return;
    if (restart.request === "watch") this.#restarts++;
    else this.#relists++;
  }

  /** Runs until the signal aborts. `once`: until the source was listed in full, or retries are useless. */
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
        this.#isListing = true;
        return sink.beginList();
      case "initDone":
        this.#isListing = false;
        this.#recovered();
        this.#syncedAt = this.#options.clock.now();
        return sink.endList();
      case "resumed":
        return this.#recovered();
      case "delete":
        this.#recovered();
        return sink.delete(event.object);
      case "apply":
        this.#recovered();
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
   * Logs a new failure, and a failure with a new reason. Repeats are logged at debug level.
   *
   * @param isLast there is no further attempt: METHOD=LIST logs the failure when it ends
   */
  #failed({ error, retryIn, failures }: Failed, isLast: boolean): void {
    const { log, source } = this.#options;
    const reason = reasonOf(error, source);
    if (retryIn === 0 && !isLast) return log.debug(`listing ${describeSource(source)} again: ${reason}`);
    const isForbidden = error instanceof ApiError && error.isForbidden;
    if (isForbidden && this.#options.sink.forbidden?.()) {
      return log.debug(`${describeSource(source)} failed: ${reason}`, { failures });
    }
    // The message differs between a streaming list (verb watch) and a list, but the missing permission is the same
    const isNews = this.#loggedReason !== reason && !(isForbidden && this.#wasForbidden);
    const at = this.#options.clock.now();
    const since = this.#hasAnswered ? at : this.#failure?.since ?? at;
    this.#failure = { reason, cause: failureOf(error), since, at };
    this.#lastFailure = reason;
    this.#wasForbidden = isForbidden;
    if (isLast) return log.debug(`${describeSource(source)} failed: ${reason}`, { failures });
    const line = `${reason}; retrying in ${retryIn.toFixed(1)} s`;
    if (!this.#mayLog(error, reason) || !isNews) return log.debug(line, { failures });
    this.#loggedReason = reason;
    if (isFinal(error)) log.error(line);
    else log.warn(line);
  }

  /** If the server is unreachable, or refuses the credentials, for all sources, only one of them logs it. */
  #mayLog(error: unknown, reason: string): boolean {
    const { outages } = this.#options;
    if (isOfServer(error)) return outages.begin(this, reason);
    outages.end(this);
    return true;
  }

  #recovered(): void {
    if (this.#failure === undefined) return;
    const wasLogged = this.#loggedReason !== undefined;
    this.#failure = this.#loggedReason = undefined;
    this.#wasForbidden = false;
    this.#options.outages.end(this);
    const line = `following ${describeSource(this.source)} again`;
    if (wasLogged) this.#options.log.info(line);
    else this.#options.log.debug(line);
  }
}

/** Whether every source fails in the same way. */
function isOfServer(error: unknown): boolean {
  if (error instanceof TransportError || error instanceof CredentialsError) return true;
  return error instanceof ApiError && error.status === 401;
}

/** Whether METHOD=LIST does not retry. */
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
