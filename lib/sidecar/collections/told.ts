/** What became of the notifications, for `/status`: the last ones of the process, and why one of a collection fails now. */
import type { Outcome } from "../../notify/retry_policy.ts";
import type { Clock } from "../../runtime/clock.ts";
import { given } from "../../runtime/given.ts";

export type NotificationKind = "script" | "webhook";

/** How an attempt ended. */
export interface NotificationAttempt {
  /** `answered 401 Unauthorized`. */
  text: string;
  outcome: Outcome["type"];
  /** Of an HTTP answer. */
  status?: number;
}

/** A notification that has ended. */
export interface EndedNotification extends NotificationAttempt {
  /** By the clock, in ms. */
  at: number;
  collection: string;
  kind: NotificationKind;
  /** Method and URL without its query, or the path of the script. */
  to: string;
  seconds: number;
  /** How many files it was about. */
  files: number;
}

/** Why notifications fail now. */
export interface NotificationFailure extends NotificationAttempt {
  kind: NotificationKind;
  to: string;
  /** Of the first failure in a row, by the clock in ms. */
  since: number;
}

/** Notifications that are kept, and that `/status` has. */
export const MAX_KEPT = 50;

/** The last notifications of all collections. */
export class NotificationHistory {
  readonly #kept: EndedNotification[] = [];

  add(notification: EndedNotification): void {
    if (this.#kept.push(notification) > MAX_KEPT) this.#kept.shift();
  }

  get newestFirst(): EndedNotification[] {
    return this.#kept.toReversed();
  }
}

/** The notifications of one collection. */
export class Told {
  readonly #collection: string;
  readonly #history: NotificationHistory;
  readonly #clock: Clock;
  readonly #last = new Map<NotificationKind, NotificationAttempt>();
  readonly #failures = new Map<NotificationKind, NotificationFailure>();

  constructor(collection: string, history: NotificationHistory, clock: Clock) {
    this.#collection = collection;
    this.#history = history;
    this.#clock = clock;
  }

  get failures(): NotificationFailure[] {
    return [...this.#failures.values()];
  }

  /** An attempt has ended, or is late. More attempts of the same notification may follow. */
  attempted(kind: NotificationKind, to: string, attempt: NotificationAttempt): void {
    const { text, outcome, status } = attempt;
    const kept: NotificationAttempt = { text, outcome, ...given("status", status) };
    this.#last.set(kind, kept);
    if (outcome === "delivered") return void this.#failures.delete(kind);
    const since = this.#failures.get(kind)?.since ?? this.#clock.now();
    this.#failures.set(kind, { ...kept, kind, to, since });
  }

  /** A notification has ended, and no attempt of it follows. */
  ended(kind: NotificationKind, to: string, { seconds, files }: { seconds: number; files: number }): void {
    const last = this.#last.get(kind);
    if (last === undefined) return;
    const at = this.#clock.now();
    this.#history.add({ ...last, at, collection: this.#collection, kind, to, seconds, files });
  }

  /** The settings changed: earlier failures say nothing about the new ones. */
  clear(): void {
    this.#last.clear();
    this.#failures.clear();
  }
}
