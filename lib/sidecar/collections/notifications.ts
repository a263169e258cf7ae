/** The notifications of one collection. Their settings can be replaced while they run. */
import type { Collection } from "../../config/collection_settings.ts";
import type { NotificationRunner } from "../../notify/runner.ts";

/** Opens the script and the webhook of a collection; `undefined` if it has neither. */
export type OpenRunner = (collection: Collection) => Promise<NotificationRunner | undefined>;

export class Notifications {
  readonly #open: OpenRunner;
  #settings: Collection["notification"];
  #runner: NotificationRunner | undefined;
  /** Ends the runner under way. */
  #round = new AbortController();
  /** Resolves when no runner is under way. */
  #ended: Promise<void> = Promise.resolve();
  /** Resolves when the runner was replaced, or will not be any more. */
  #replaced = Promise.withResolvers<void>();

  static async open(collection: Collection, open: OpenRunner): Promise<Notifications> {
    return new Notifications(collection, await open(collection), open);
  }

  private constructor({ notification }: Collection, runner: NotificationRunner | undefined, open: OpenRunner) {
    this.#settings = notification;
    this.#runner = runner;
    this.#open = open;
  }

  /** Whether there are changes that the application has not been notified of. */
  get isPending(): boolean {
    return this.#runner?.isPending ?? false;
  }

  /** Since when, by the clock in ms. */
  get pendingSince(): number | undefined {
    return this.#runner?.pendingSince;
  }

  /** When the next step is due, by the clock in ms; `undefined`: nothing is pending, or it is under way. */
  get dueAt(): number | undefined {
    const dueAt = this.#runner?.dueAt;
    return dueAt === undefined || !Number.isFinite(dueAt) ? undefined : dueAt;
  }

  get settings(): Collection["notification"] {
    return this.#settings;
  }

  /** Whether the script or the webhook must be notified of a file that changes now. */
  concerns({ isFirstSync }: { isFirstSync: boolean }): boolean {
    const { script, webhook, skipInit } = this.#settings;
    return script !== undefined || (webhook !== undefined && !(skipInit && isFirstSync));
  }

  /** Files changed on disk. */
  changed(paths: Iterable<string>, { isFirstSync }: { isFirstSync: boolean }): void {
    this.#runner?.changed(paths, { initial: isFirstSync });
  }

  /** Notifies until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => {
      this.#round.abort();
      this.#replaced.resolve();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    while (!signal.aborted) {
      this.#ended = this.#runner?.run(this.#round.signal) ?? Promise.resolve();
      const replaced = this.#replaced.promise;
      await this.#ended;
      await replaced;
    }
    signal.removeEventListener("abort", onAbort);
  }

  /** METHOD=LIST: notifies of what is pending, once. */
  async flush(signal: AbortSignal): Promise<void> {
    await this.#runner?.flush(signal);
  }

  /** Continues with other settings. What is pending stays pending: the journal has it. */
  async replace(collection: Collection): Promise<void> {
    this.#round.abort();
    // Never two notifications at one time
    await this.#ended;
    try {
      this.#runner = await this.#open(collection);
      this.#settings = collection.notification;
    } finally {
      this.#round = new AbortController();
      const { resolve } = this.#replaced;
      this.#replaced = Promise.withResolvers();
      resolve();
    }
  }
}
