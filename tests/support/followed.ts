/** A Watcher at work on a {@link ScriptedApi}, seen through what it yields. */
import assert from "node:assert/strict";
import type { KubeClient } from "../../lib/kube/client/client.ts";
import { ApiError } from "../../lib/kube/client/errors.ts";
import { Watcher, type WatcherEvent, type WatcherOptions } from "../../lib/kube/watch/watcher.ts";
import { until } from "./local_servers.ts";
import { listAt, type ScriptedApi, type ScriptedRequest, WatchStream } from "./scripted_api.ts";

export class Followed implements AsyncDisposable {
  /** As `init`, `apply name@version`, `failed 503 in 1`. */
  readonly events: string[] = [];
  /** The errors of the failures. */
  readonly errors: unknown[] = [];
  /** How many signs of the API server there were. */
  contacts = 0;
  /** Seconds that the step under way may take. */
  expected = 0;
  readonly #api: ScriptedApi;
  readonly #abort = new AbortController();
  readonly #ended: Promise<void>;
  readonly #from: number;
  readonly #sleepers: number;

  /** @param consume called for each event, and awaited: it makes the consumer slow */
  constructor(
    api: ScriptedApi,
    { client = api.makeClient(), ...options }: Partial<WatcherOptions> = {},
    consume: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#api = api;
    this.#from = api.requests.length;
    this.#sleepers = api.clock.sleeping;
    const watcher = new Watcher({
      client,
      source: { kind: "ConfigMap", labelSelector: "app" },
      mode: "watch",
      sleepTime: 60,
      serverTimeout: 600,
      clientTimeout: 660,
      resyncPeriod: 0,
      firstBackoff: 1,
      clock: api.clock,
      random: () => 0,
      heartbeat: { expectWithin: (seconds) => this.expected = seconds },
      onContact: () => this.contacts++,
      ...options,
    });
    this.#ended = (async () => {
      for await (const event of watcher.run(this.#abort.signal)) {
        this.#keep(event);
        await consume();
      }
    })();
  }

  get requests(): ScriptedRequest[] {
    return this.#api.requests.slice(this.#from);
  }

  /** Each request as `list`, `streaming list` or `watch from VERSION`. */
  get asked(): string[] {
    return this.requests.map(({ query }) => {
      if (query.watch === undefined) return "list";
      return query.sendInitialEvents === undefined ? `watch from ${query.resourceVersion}` : "streaming list";
    });
  }

  /** Waits for so many requests, and that no other came meanwhile. */
  async requested(count: number): Promise<void> {
    await until(() => this.requests.length >= count);
    assert.equal(this.requests.length, count, this.asked.join(", "));
  }

  /** Sees that there are so many requests, and none is on its way. */
  async stillRequested(count: number): Promise<void> {
    await this.#api.caughtUp();
    assert.equal(this.requests.length, count, this.asked.join(", "));
  }

  /** Waits for an event, and that it is the last one. */
  async yielded(event: string): Promise<void> {
    await until(() => this.events.at(-1) === event).catch(() => assert.equal(this.events.join("; "), event));
  }

  /** Waits until there are so many signs of the API server. */
  async contacted(count: number): Promise<void> {
    await until(() => this.contacts >= count);
  }

  /** Waits until the watcher expects its step to take so many seconds, its grace included. */
  async expecting(seconds: number): Promise<void> {
    await until(() => this.expected === seconds).catch(() => assert.equal(this.expected, seconds));
  }

  /** Ends it. Nothing may be left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error("the test is over"));
    await this.#ended;
    assert.equal(this.#api.clock.sleeping, this.#sleepers, "no timer is left");
  }

  #keep(event: WatcherEvent): void {
    if (event.type === "failed") {
      this.errors.push(event.error);
      const { error } = event;
      const what = error instanceof ApiError ? error.status : error instanceof Error ? error.name : error;
      this.events.push(`failed ${what} in ${event.retryIn}`);
    } else {
      const objects = "objects" in event ? event.objects : "object" in event ? [event.object] : undefined;
      if (objects === undefined) this.events.push(event.type);
      for (const { metadata } of objects ?? []) {
        this.events.push(`${event.type} ${metadata.name}@${metadata.resourceVersion}`);
      }
    }
  }
}

/** A client for servers that know no streaming lists. */
export function pagingClient(api: ScriptedApi): KubeClient {
  const client = api.makeClient();
  client.streamingLists = false;
  return client;
}

/** A watcher whose list is done, at version 10; the next request is the one after its first watch. */
export async function watching(api: ScriptedApi, options: Partial<WatcherOptions> = {}) {
  const watch = new WatchStream();
  api.script(listAt("10"), watch);
  const followed = new Followed(api, { client: pagingClient(api), ...options });
  await watch.bookmark("11");
  await followed.contacted(3);
  return { followed, watch };
}
