/** Many sidecars at one API server, in simulated time: the project's own watchers, with a server that only counts. */
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "../lib/kube/client/client.ts";
import type { KubeObject } from "../lib/objects/object.ts";
import type { Source } from "../lib/objects/source.ts";
import type { ListWatch } from "../lib/kube/client/object_api.ts";
import { Watcher } from "../lib/kube/watch/watcher.ts";
import { Semaphore } from "../lib/runtime/semaphore.ts";
import { TransportError } from "../lib/http/transport.ts";
import type { SimulatedTime } from "./simulated_time.ts";

/** Settings that have to do with load, in seconds, as docs/settings.md has them. */
export const DEFAULTS = {
  serverTimeout: 600,
  clientTimeout: 660,
  resyncPeriod: 600,
  firstBackoff: 1,
};

/** What is asked of the API server. A `list` brings every object; a `check` one object, a `watch` none that is known. */
export type Request = "list" | "check" | "watch" | "refused";

/** Counts requests by second. */
export class CountingServer implements ListWatch {
  /** WatchList, so that each start is one request. */
  streamingLists = true;
  /** Each sidecar has a limit of its own. */
  readonly lists = new Semaphore(Infinity);
  /** Requests that came within each second; a second without any is not there. */
  readonly seconds: Record<number, Record<Request, number>> = {};
  readonly #time: SimulatedTime;
  #isUp = true;
  /** Ends a watch that is open. */
  readonly #open = new Set<() => void>();

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  /** Cuts every connection and takes no new ones. */
  goDown(): void {
    this.#isUp = false;
    for (const cut of this.#open) cut();
  }

  comeBack(): void {
    this.#isUp = true;
  }

  // deno-lint-ignore require-yield
  async *list(_: Source, query: ListQuery): AsyncGenerator<KubeObject[], ListResult> {
    await this.#take(query.limit === 1 ? "check" : "list");
    return { resourceVersion: "1" };
  }

  async *watch(
    _: Source,
    { timeoutSeconds, sendInitialEvents }: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void> {
    await this.#take(sendInitialEvents ? "list" : "watch");
    onAnswer();
    if (sendInitialEvents) yield [INITIAL_EVENTS_END];
    const end = new AbortController();
    const cut = () => end.abort(new TransportError("read", "cut"));
    const leave = () => end.abort(signal.reason);
    this.#open.add(cut);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await this.#time.sleep(timeoutSeconds, end.signal);
    } finally {
      this.#open.delete(cut);
    }
  }

  async #take(request: Request): Promise<void> {
    await Promise.resolve();
    const second = Math.floor(this.#time.now() / 1000);
    const counts = this.seconds[second] ??= { list: 0, check: 0, watch: 0, refused: 0 };
    counts[this.#isUp ? request : "refused"]++;
    if (!this.#isUp) throw new TransportError("connect", "refused");
  }
}

const INITIAL_EVENTS_END: WatchEvent = {
  type: "BOOKMARK",
  object: {
    metadata: {
      name: "",
      namespace: "",
      uid: "",
      creationTimestamp: "",
      resourceVersion: "1",
      annotations: { "k8s.io/initial-events-end": "true" },
    },
  },
};

/** Both kinds for each label: what a pod watches, in one process with several collections or in one process for each. */
export function sourcesOfPod(labels: number): Source[] {
  return Array.from({ length: labels }, (_, at) => ({ labelSelector: `label-${at}` }))
    .flatMap(({ labelSelector }) => [{ kind: "ConfigMap", labelSelector }, { kind: "Secret", labelSelector }]);
}

/** Runs the watchers of this many pods until the signal aborts. */
export async function followAll(
  pods: number,
  sources: readonly Source[],
  server: ListWatch,
  time: SimulatedTime,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  const follow = async (source: Source) => {
    // One of its own, as in a process of its own: a signal with thousands of listeners is slow
    const stop = new AbortController();
    signal.addEventListener("abort", () => stop.abort(signal.reason), { once: true });
    const heartbeat = { expectWithin() {} };
    const parts = { client: server, source, clock: time, random, heartbeat };
    const options = { ...DEFAULTS, ...parts, mode: "watch" as const, sleepTime: 0 };
    for await (const _ of new Watcher(options).run(stop.signal));
  };
  await Promise.all(Array.from({ length: pods }, () => sources.map(follow)).flat());
}
