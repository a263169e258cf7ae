/** Where a download stands in the queue. */
export interface Place {
  namespace: string;
  /** Scheme, host and port of its URL. */
  origin: string;
  /** It has failed before. */
  isRetry: boolean;
}

/** Downloads that run, all together and by namespace. */
class OpenDownloads {
  readonly #byNamespace = new Map<string, number>();
  #count = 0;

  /** @param maxOpen of all; one namespace gets all places but one */
  constructor(public maxOpen: number) {}

  get hasRoom(): boolean {
    return this.#count < this.maxOpen;
  }

  admits(namespace: string): boolean {
    return this.hasRoom && (this.#byNamespace.get(namespace) ?? 0) < Math.max(1, this.maxOpen - 1);
  }

  add(namespace: string, change: 1 | -1): void {
    this.#count += change;
    const open = (this.#byNamespace.get(namespace) ?? 0) + change;
    if (open === 0) this.#byNamespace.delete(namespace);
    else this.#byNamespace.set(namespace, open);
  }
}

interface Waiter {
  start(): void;
}

/** Downloads of one collection from one origin. */
interface Line {
  collection: OpenDownloads;
  waiters: Set<Waiter>;
}

/** Waiting downloads by namespace, then by collection and origin. The order of the maps says who is next. */
type Waiting = Map<string, Map<string, Line>>;

/**
 * Limits how many downloads run at one time. Namespaces are served round robin, and so are the origins of a namespace, so that the many
 * downloads of one team, or of one dead host, do not hold up the others; first attempts come before retries. One namespace
 * gets all places but one: a team whose hosts never answer leaves the last place to the others.
 *
 * Collections share the queue. Each is held to its own maximum, and all together to the largest of these.
 */
export class DownloadQueue {
  readonly #all = new OpenDownloads(0);
  readonly #firstAttempts: Waiting = new Map();
  readonly #retries: Waiting = new Map();
  #collections = 0;

  /** Adds a collection, of which at most `maxOpen` downloads run at one time. */
  join(maxOpen: number) {
    const collection = new OpenDownloads(maxOpen);
    const id = this.#collections++;
    this.#all.maxOpen = Math.max(this.#all.maxOpen, maxOpen);
    return {
      /**
       * Runs `download` as soon as there is room for it.
       *
       * @throws what `download` throws, or the signal's reason if it aborts before the start
       */
      run: async <T>(place: Place, signal: AbortSignal, download: () => Promise<T>): Promise<T> => {
        await this.#enter(place, `${id} ${place.origin}`, collection, signal);
        try {
          return await download();
        } finally {
          this.#count(place.namespace, collection, -1);
          this.#startNext();
        }
      },
    };
  }

  #enter({ namespace, isRetry }: Place, key: string, collection: OpenDownloads, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waiting = isRetry ? this.#retries : this.#firstAttempts;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        remove(waiting, namespace, key, waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        start() {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const lines = waiting.get(namespace) ?? new Map<string, Line>();
      const line = lines.get(key) ?? { collection, waiters: new Set() };
      line.waiters.add(waiter);
      waiting.set(namespace, lines.set(key, line));
      this.#startNext();
    });
  }

  #startNext(): void {
    while (this.#all.hasRoom) {
      const waiter = this.#next(this.#firstAttempts) ?? this.#next(this.#retries);
      if (waiter === undefined) return;
      waiter.start();
    }
  }

  /** Takes out the next download and counts it. Its namespace and its origin go to the end of their lines. */
  #next(waiting: Waiting): Waiter | undefined {
    for (const [namespace, lines] of waiting) {
      if (!this.#all.admits(namespace)) continue;
      for (const [key, line] of lines) {
        const [waiter] = line.waiters;
        if (waiter === undefined || !line.collection.admits(namespace)) continue;
        line.waiters.delete(waiter);
        lines.delete(key);
        if (line.waiters.size > 0) lines.set(key, line);
        waiting.delete(namespace);
        if (lines.size > 0) waiting.set(namespace, lines);
        this.#count(namespace, line.collection, 1);
        return waiter;
      }
    }
    return undefined;
  }

  #count(namespace: string, collection: OpenDownloads, change: 1 | -1): void {
    this.#all.add(namespace, change);
    collection.add(namespace, change);
  }
}

function remove(waiting: Waiting, namespace: string, key: string, waiter: Waiter): void {
  const lines = waiting.get(namespace);
  const line = lines?.get(key);
  line?.waiters.delete(waiter);
  if (line?.waiters.size === 0) lines?.delete(key);
  if (lines?.size === 0) waiting.delete(namespace);
}
