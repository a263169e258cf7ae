/** Follows each source once, for all collections that select its objects. */
import type { WatchSettings } from "../../config/config.ts";
import type { ListWatch } from "../../kube/client/object_api.ts";
import type { Restart } from "../../kube/watch/restarts.ts";
import { Watcher } from "../../kube/watch/watcher.ts";
import type { Log } from "../../log/log.ts";
import { describeSource, type WatchTarget } from "../../objects/source.ts";
import type { Clock } from "../../runtime/clock.ts";
import { LastingWork } from "../../runtime/lasting_work.ts";
import { FanOut } from "./fan_out.ts";
import type { Liveness } from "../liveness.ts";
import type { ObjectSink } from "./object_sink.ts";
import { Outages } from "./outages.ts";
import { SourceFollower } from "./source_follower.ts";

export interface SharedSourcesOptions {
  client: ListWatch;
  /** `once`: METHOD=LIST, each source is listed once. `list`: METHOD=SLEEP. */
  mode: "watch" | "list" | "once";
  watch: WatchSettings;
  liveness: Pick<Liveness, "group">;
  /** A watch or a list has to be made again. */
  onRestart(restart: Restart): void;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** Of one source. */
export type SourceTimes = Pick<SourceFollower, "source" | "contactAt" | "syncedAt" | "state">;

/** One source, and who receives its objects. */
interface SharedSource {
  readonly receivers: FanOut;
  readonly follower: SourceFollower;
  /** Ends the list or watch under way. Resolves when it has ended. */
  interrupt(): Promise<void>;
  /** Ends when the source is no longer followed. */
  readonly following: LastingWork;
}

export class SharedSources {
  readonly #options: SharedSourcesOptions;
  /** An outage of the API server is logged once for all sources. */
  readonly #outages = new Outages();
  /** By kind, namespace, selector and name. */
  readonly #shared = new Map<string, SharedSource>();

  constructor(options: SharedSourcesOptions) {
    this.#options = options;
  }

  /** When a source was heard of and listed; `undefined`: it is not followed. */
  timesOf(target: WatchTarget): SourceTimes | undefined {
    return this.#shared.get(keyOf(target))?.follower;
  }

  /** Why a source currently fails; `undefined` when it works or is not followed. */
  failureOf(target: WatchTarget): string | undefined {
    return this.#shared.get(keyOf(target))?.follower.failure;
  }

  /**
   * Passes the objects of a source to a receiver, beginning with a full list. Resolves when the signal aborts; with
   * METHOD=LIST, to the reason of a failure, if any, as soon as the source was listed.
   */
  async follow(target: WatchTarget, receiver: ObjectSink, signal: AbortSignal): Promise<string | undefined> {
    const key = keyOf(target);
    const shared = this.#shared.get(key) ?? this.#start(key, target);
    const { receivers, follower } = shared;
    receivers.join(receiver);
    // The others receive that list, too. It changes nothing for them
    if (receivers.needsList) void shared.interrupt();
    await shared.following.endedOr(signal);
    receivers.leave(receiver);
    if (receivers.isEmpty) await shared.interrupt();
    return follower.failure;
  }

  #start(key: string, target: WatchTarget): SharedSource {
    const receivers = new FanOut();
    const heartbeats = this.#options.liveness.group();
    const follower = this.#follower(target, receivers, heartbeats);
    let round = new AbortController();
    let roundEnded = Promise.resolve();
    const run = async () => {
      // The first receiver has yet to join
      await Promise.resolve();
      while (!receivers.isEmpty) {
        round = new AbortController();
        roundEnded = follower.run(round.signal, { once: this.#options.mode === "once" });
        await roundEnded;
        // Who asked for a list may have left again: the others need one all the same
        if (!round.signal.aborted && !receivers.needsList) break;
      }
      // At once, so that nobody joins what has ended
      this.#shared.delete(key);
    };
    const following = new LastingWork(run().finally(() => heartbeats.close()));
    const interrupt = () => {
      receivers.interrupted();
      round.abort();
      return roundEnded;
    };
    const shared = { receivers, follower, interrupt, following };
    this.#shared.set(key, shared);
    return shared;
  }

  #follower(target: WatchTarget, sink: ObjectSink, liveness: Pick<Liveness, "heartbeat">): SourceFollower {
    const { client, mode, watch, onRestart, clock, random, log } = this.#options;
    const watcher = new Watcher({
      client,
      source: target,
      mode: mode === "watch" ? "watch" : "list",
      ...watch,
      clock,
      random,
      heartbeat: liveness.heartbeat(`the watch of ${describeSource(target)}`),
      onContact: () => follower.contacted(),
      onRestart(restart) {
        follower.restarted(restart);
        onRestart(restart);
      },
    });
    const follower: SourceFollower = new SourceFollower({
      source: target,
      watcher,
      sink,
      outages: this.#outages,
      clock,
      log,
    });
    return follower;
  }
}

function keyOf({ kind, namespace, labelSelector, name }: WatchTarget): string {
  return JSON.stringify([kind, namespace, name === undefined ? labelSelector : undefined, name]);
}
