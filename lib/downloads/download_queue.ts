/** Where a download stands in the queue. */
export interface Place {
  namespace: string;
  /** Scheme, host and port of its URL. */
  origin: string;
  /** It has failed before. */
  isRetry: boolean;
}

interface Waiter {
  namespace: string;
  start(): void;
}

/** Waiting downloads by namespace, then by origin. The order of the maps says who is next. */
type Waiting = Map<string, Map<string, Set<Waiter>>>;

/**
 * Limits how many downloads run at one time. Namespaces are served round robin, and so are the origins of a namespace, so that the many
 * downloads of one team, or of one dead host, do not hold up the others; first attempts come before retries. One namespace
 * gets all places but one: a team whose hosts never answer leaves the last place to the others.
 */
export class DownloadQueue {
  readonly #maxOpen: number;
  readonly #firstAttempts: Waiting = new Map();
  readonly #retries: Waiting = new Map();
  readonly #openByNamespace = new Map<string, number>();
  #open = 0;

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen;
  }

  /**
   * Runs `download` as soon as there is room for it.
   *
   * @throws what `download` throws, or the signal's reason if it aborts before the start
   */
  async run<T>(place: Place, signal: AbortSignal, download: () => Promise<T>): Promise<T> {
    await this.#enter(place, signal);
    try {
      return await download();
    } finally {
      this.#open--;
      this.#count(place.namespace, -1);
      this.#startNext();
    }
  }

  #enter({ namespace, origin, isRetry }: Place, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waiting = isRetry ? this.#retries : this.#firstAttempts;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        remove(waiting, namespace, origin, waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        namespace,
        start() {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      add(waiting, namespace, origin, waiter);
      this.#startNext();
    });
  }

  #startNext(): void {
    while (this.#open < this.#maxOpen) {
      const waiter = this.#next(this.#firstAttempts) ?? this.#next(this.#retries);
      if (waiter === undefined) return;
      this.#open++;
      this.#count(waiter.namespace, 1);
      waiter.start();
    }
  }

  /** Takes out the next download. Its namespace and its origin go to the end of their lines. */
  #next(waiting: Waiting): Waiter | undefined {
    const maxOfOne = Math.max(1, this.#maxOpen - 1);
    for (const [namespace, origins] of waiting) {
      if ((this.#openByNamespace.get(namespace) ?? 0) >= maxOfOne) continue;
      for (const [origin, waiters] of origins) {
        for (const waiter of waiters) {
          waiters.delete(waiter);
          origins.delete(origin);
          if (waiters.size > 0) origins.set(origin, waiters);
          waiting.delete(namespace);
          if (origins.size > 0) waiting.set(namespace, origins);
          return waiter;
        }
      }
    }
    return undefined;
  }

  #count(namespace: string, change: number): void {
    const open = (this.#openByNamespace.get(namespace) ?? 0) + change;
    if (open === 0) this.#openByNamespace.delete(namespace);
    else this.#openByNamespace.set(namespace, open);
  }
}

function add(waiting: Waiting, namespace: string, origin: string, waiter: Waiter): void {
  const origins = waiting.get(namespace) ?? new Map<string, Set<Waiter>>();
  const waiters = origins.get(origin) ?? new Set<Waiter>();
  waiting.set(namespace, origins.set(origin, waiters.add(waiter)));
}

function remove(waiting: Waiting, namespace: string, origin: string, waiter: Waiter): void {
  const origins = waiting.get(namespace);
  const waiters = origins?.get(origin);
  waiters?.delete(waiter);
  if (waiters?.size === 0) origins?.delete(origin);
  if (origins?.size === 0) waiting.delete(namespace);
}
