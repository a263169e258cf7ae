import { Backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import {
  losesVersion,
  makesDoubtful,
  MAX_EMPTY_WATCHES,
  MAX_REFUSALS,
  MIN_WATCH_SECONDS,
  minDelay,
  refusesVersion,
  relistsAtOnce,
} from "./retry_policy.ts";
import type { Known } from "./state.ts";

export interface RecoveryOptions {
  /** Seconds. */
  firstBackoff: number;
  clock: Clock;
  random: () => number;
}

/** What a failure leads to. */
export interface Verdict {
  /** Failures in a row. */
  failures: number;
  /** Seconds until the next attempt. */
  retryIn: number;
  /** Whether that is a list; else a watch resumes. */
  relists: boolean;
}

/** Applies the retry policy, and remembers what it needs of the failures so far. */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #backoff: Backoff;
  /** A failure has been reported and its recovery has not. */
  #isFailing = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ first: options.firstBackoff, random: options.random });
  }

  /** Whether a failure was reported whose recovery has not been reported until now. */
  takeFailing(): boolean {
    const isFailing = this.#isFailing;
    this.#isFailing = false;
    return isFailing;
  }

  /** A list, or a watch that lived for {@link MIN_WATCH_SECONDS}, has succeeded: the next failure is a first one. */
  succeeded(): void {
    this.#backoff.reset();
  }

  /** @param known what the state that failed had to resume from */
  failed(known: Known | undefined, error: unknown): Verdict {
    const { clock, firstBackoff } = this.#options;
    const sinceList = known === undefined ? 0 : (clock.now() - known.listedAt) / 1000;
    // A list counts as a success unless the first watch after it fails at once: that would be a hot loop of lists
    if (known?.isFresh && sinceList >= MIN_WATCH_SECONDS) this.#backoff.reset();
    const relists = known === undefined || isLost(known, error);
    const delay = this.#backoff.next(minDelay(error, firstBackoff));
    const retryIn = relistsAtOnce(error, sinceList) ? 0 : delay;
    this.#isFailing ||= retryIn > 0;
    return { failures: this.#backoff.failures, retryIn, relists };
  }
}

/** Takes note of a failure. Returns whether the version is given up. */
function isLost(known: Known, error: unknown): boolean {
  known.isFresh = false;
  known.isSpread = true;
  known.isDoubtful ||= makesDoubtful(error);
  if (refusesVersion(error)) known.refusals++;
  return losesVersion(error) || known.refusals >= MAX_REFUSALS || known.emptyWatches >= MAX_EMPTY_WATCHES;
}
