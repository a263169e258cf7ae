/** An API server made of chance: it keeps what it is given, and loses connections, history and itself. For Watcher alone. */
import { MAX_SILENCE_SECONDS } from "../../lib/kube/client/dead_connection.ts";
import { AnswerError, ApiError } from "../../lib/kube/client/errors.ts";
import type { ListQuery, ListResult, WatchEvent, WatchQuery } from "../../lib/kube/client/client.ts";
import type { Kind } from "../../lib/objects/kind.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import type { Source } from "../../lib/objects/source.ts";
import type { ListWatch } from "../../lib/kube/client/object_api.ts";
import type { Clock } from "../../lib/runtime/clock.ts";
import { Deadline } from "../../lib/runtime/deadline.ts";
import { Semaphore } from "../../lib/runtime/semaphore.ts";
import { TransportError } from "../../lib/http/transport.ts";
import { pick } from "./random.ts";

interface Change {
  version: number;
  kind: Kind;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubeObject;
}

interface World {
  version: number;
  objects: Map<string, KubeObject>;
}

/** Objects in a page, whatever is asked for: so that there are pages. */
const PAGE = 2;

export class SimulatedApi implements ListWatch {
  streamingLists: boolean;
  readonly lists = new Semaphore(1);
  /** The share of what goes well that does not. 0: nothing goes wrong any more. */
  faults: number;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #knowsStreamingLists: boolean;
  #world: World = { version: 1, objects: new Map() };
  #history: Change[] = [];
  /** Versions up to this one are forgotten. */
  #compacted = 0;
  #news = Promise.withResolvers<void>();
  /** Grows when every connection is lost. */
  #era = 0;
  #uids = 0;

  constructor(random: () => number, faults: number, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
    this.faults = faults;
    this.streamingLists = random() < 0.5;
    this.#knowsStreamingLists = random() < 0.7;
  }

  /** What there is now, of both kinds. */
  get objects(): [Kind, KubeObject][] {
    return [...this.#world.objects].map(([key, object]) => [key.split("/")[0] as Kind, object]);
  }

  /** Makes, changes or makes anew; `undefined` deletes. */
  put(kind: Kind, name: string, data: Record<string, string> | undefined, annotations: Record<string, string>): void {
    const key = `${kind}/${name}`;
    const before = this.#world.objects.get(key);
    const version = ++this.#world.version;
    if (data === undefined) {
      if (before === undefined) return;
      this.#world.objects.delete(key);
      const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
      return this.#add({ version, kind, type: "DELETED", object });
    }
    const metadata = {
      ...{ name, namespace: "default", annotations, resourceVersion: String(version) },
      uid: before?.metadata.uid ?? `uid-${++this.#uids}`,
      creationTimestamp: before?.metadata.creationTimestamp ??
        new Date(Date.UTC(2026, 0, 1) + 1000 * Math.floor(version / 4)).toISOString(),
    };
    const object: KubeObject = { metadata, data };
    this.#world.objects.set(key, object);
    this.#add({ version, kind, type: before === undefined ? "ADDED" : "MODIFIED", object });
  }

  compact(): void {
    this.#compacted = this.#world.version;
    this.#history = [];
  }

  backup(): World {
    return { version: this.#world.version, objects: new Map(this.#world.objects) };
  }

  /** Puts the store back to what it was: versions go backwards, and the history is another one from there on. */
  restore(world: World): void {
    this.#world = { version: world.version, objects: new Map(world.objects) };
    this.#history = [];
    this.#compacted = world.version;
    this.loseConnections();
  }

  loseConnections(): void {
    this.#era++;
    this.#tell();
  }

  async *list(source: Source, query: ListQuery, signal: AbortSignal): AsyncGenerator<KubeObject[], ListResult> {
    const era = this.#era;
    await this.#trip();
    const [at = "", start = "0"] = query.continue?.split("/") ?? [];
    if (at !== "" && Number(at) < this.#compacted) throw new ApiError("list", 410, { reason: "Expired" });
    // A continued list is of its first page's moment; here, whoever changed something meanwhile has it expire
    if (at !== "" && Number(at) !== this.#world.version) throw new ApiError("list", 410, { reason: "Expired" });
    const { version } = this.#world;
    const all = this.objects.filter(([kind]) => kind === source.kind).map(([, object]) => object);
    const page = query.limit === undefined ? all : all.slice(Number(start), Number(start) + PAGE);
    // The deadline that the real client sets
    using deadline = new Deadline(this.#clock, MAX_SILENCE_SECONDS, signal);
    for (const object of page) {
      yield [structuredClone(object)];
      deadline.extend();
      await this.#dawdle(deadline.signal);
      if (era !== this.#era || this.#chance(0.1)) throw new AnswerError("the list was cut");
    }
    const next = Number(start) + page.length;
    return { resourceVersion: String(version), ...(next < all.length ? { continue: `${version}/${next}` } : {}) };
  }

  async *watch(
    source: Source,
    query: WatchQuery,
    signal: AbortSignal,
    onAnswer: () => void,
  ): AsyncGenerator<WatchEvent[], void> {
    const era = this.#era;
    await this.#trip();
    if (query.sendInitialEvents && !this.#knowsStreamingLists) throw new ApiError("watch", 422, undefined);
    let version = Number(query.resourceVersion ?? 0);
    const isExpired = !query.sendInitialEvents && version < this.#compacted;
    if (isExpired && this.#random() < 0.5) throw new ApiError("watch", 410, { reason: "Expired" });
    onAnswer();
    if (isExpired) yield [errorEvent(410)];
    if (query.sendInitialEvents) {
      const initial = this.objects.filter(([kind]) => kind === source.kind);
      version = this.#world.version;
      for (const [, object] of initial) {
        if (this.#chance(0.05)) throw new TransportError("read", "cut");
        yield [{ type: "ADDED", object: structuredClone(object) }];
        await this.#dawdle(signal);
        if (era !== this.#era) throw new TransportError("read", "the connection is lost");
      }
      yield [bookmark(version, { "k8s.io/initial-events-end": "true" })];
    }
    let last: WatchEvent | undefined;
    while (true) {
      if (era !== this.#era) throw new TransportError("read", "the connection is lost");
      signal.throwIfAborted();
      const change = this.#history.find((change) => change.version > version && change.kind === source.kind);
      // What was compacted before this watch came to it may have been of its kind
      if (version < this.#compacted) return yield [errorEvent(410)];
      if (change === undefined) {
        await this.#newsOr(signal);
        continue;
      }
      const event: WatchEvent = { type: change.type, object: structuredClone(change.object) };
      if (this.#chance(0.1)) throw new TransportError("read", "cut in mid-event");
      if (this.#chance(0.05)) yield [errorEvent(500)];
      if (this.#chance(0.05)) return;
      version = change.version;
      const batch = [event];
      if (this.#chance(0.1)) batch.push(structuredClone(event));
      if (last !== undefined && this.#chance(0.05)) batch.push(structuredClone(last));
      if (this.#random() < 0.1) batch.push(bookmark(version));
      yield batch;
      last = event;
    }
  }

  async read(source: Source, ref: ObjectRef): Promise<KubeObject | undefined> {
    await this.#trip();
    const object = this.#world.objects.get(`${source.kind}/${ref.name}`);
    await Promise.resolve();
    return structuredClone(object);
  }

  /** A request's way to the server. */
  async #trip(): Promise<void> {
    await Promise.resolve();
    if (!this.#chance(0.1)) return;
    throw pick(this.#random, [
      () => new TransportError("connect", "refused"),
      () => new TransportError("read", "reset"),
      () => new AnswerError("HTML"),
      () => new ApiError("request", 500, { reason: "InternalError" }),
      () => new ApiError("request", 503, undefined),
      () => new ApiError("request", 429, undefined, 2),
      () => new ApiError("request", 403, { reason: "Forbidden" }),
    ])();
  }

  /** Now and then an answer takes so long that what is still to come is no longer true. */
  async #dawdle(signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    signal.throwIfAborted();
    if (!this.#chance(0.1)) return;
    for (let news = Math.ceil(this.#random() * 8); news > 0; news--) {
      await this.#newsOr(signal);
      signal.throwIfAborted();
    }
  }

  #chance(share: number): boolean {
    return this.#random() < share * this.faults;
  }

  #add(change: Change): void {
    this.#history.push(change);
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  async #newsOr(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([this.#news.promise, promise]);
  }
}

function errorEvent(code: number): WatchEvent {
  return { type: "ERROR", object: { kind: "Status", code, message: "by chance" } as unknown as KubeObject };
}

function bookmark(version: number, annotations: Record<string, string> = {}): WatchEvent {
  return {
    type: "BOOKMARK",
    object: { metadata: { resourceVersion: String(version), annotations } } as unknown as KubeObject,
  };
}
