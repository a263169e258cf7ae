import { given } from "../runtime/given.ts";
import { fingerprintOf, matchesFingerprint } from "./fingerprint.ts";
import { type Failed, MAX_DELAY_SECONDS, type NextAttempt, nextAttempt } from "./retry_policy.ts";

/** A failure in the record. */
export interface RecordedFailure {
  type: string;
  /** Consecutive attempts that ended in the same way. */
  attempts: number;
  /** By the wall clock, in ms since 1970. */
  endedAt: number;
  /** Seconds from then to the next attempt. */
  delay: number;
  /** Fingerprint of the refused request and its credentials ({@link fingerprintOf}). */
  fingerprint?: string;
}

export interface FailureRecord {
  /** The failure that an earlier run recorded. */
  load(): RecordedFailure | undefined;
  save(failure: RecordedFailure | undefined): void;
}

const TYPES: ReadonlySet<string> = new Set<Failed["type"]>(["unavailable", "unanswered", "refused", "failed"]);

/** The calls that failed since the last success, including those of an earlier run, and when to retry. */
export class FailedCalls {
  readonly #record: FailureRecord;
  /** In ms since 1970. */
  readonly #wallClock: () => number;
  /** The request and the credentials of the last failure, once they are known in this run. */
  #identity: string | undefined;
  #failure: RecordedFailure | undefined;
  #isRecorded = false;

  constructor(record: FailureRecord, wallClock: () => number) {
    this.#record = record;
    this.#wallClock = wallClock;
    const failure = record.load();
    this.#isRecorded = failure !== undefined;
    if (failure !== undefined && TYPES.has(failure.type)) this.#failure = failure;
  }

  /** `undefined`: the last call was a success. */
  get last(): RecordedFailure | undefined {
    return this.#failure;
  }

  /**
   * When to retry after the last failure, counted from now. If the wall clock was changed, the delay is never longer
   * than it was.
   */
  get next(): NextAttempt | undefined {
    if (this.#failure === undefined) return undefined;
    const { type, attempts, endedAt, delay } = this.#failure;
    const left = endedAt / 1000 + delay - this.#wallClock() / 1000;
    const after = Math.max(0, Math.min(left, delay, MAX_DELAY_SECONDS));
    return { after, orOnChange: nextAttempt({ type } as Failed, attempts).orOnChange };
  }

  /** A call was not answered in time and stays open. It is recorded now, in case this program ends before an answer. */
  unanswered(): void {
    this.#save(this.#follow({ type: "unanswered" }));
  }

  /** @param identity the request and its credentials */
  failed(outcome: Failed, identity: string): NextAttempt {
    const failure = this.#follow(outcome);
    const fingerprint = this.#identity === identity ? this.#failure?.fingerprint : undefined;
    this.#identity = identity;
    this.#failure = { ...failure, ...given("fingerprint", fingerprint) };
    this.#save(this.#failure);
    return nextAttempt(outcome, failure.attempts);
  }

  /** Records a fingerprint, so that the next start can detect changed credentials. Takes a tenth of a second. */
  async recordFingerprint(): Promise<void> {
    if (this.#failure === undefined || this.#failure.fingerprint !== undefined) return;
    this.#failure.fingerprint = await fingerprintOf(this.#identity ?? "");
    this.#save(this.#failure);
  }

  succeeded(): void {
    this.#failure = this.#identity = undefined;
    if (this.#isRecorded) this.#save(undefined);
  }

  /** Whether the request or its credentials have changed since the last failure. */
  async isOutdated(identity: string): Promise<boolean> {
    if (this.#identity !== undefined) return this.#identity !== identity;
    const fingerprint = this.#failure?.fingerprint;
    if (fingerprint !== undefined && !await matchesFingerprint(identity, fingerprint)) return true;
    this.#identity = identity;
    return false;
  }

  /** The failure that follows the last one. */
  #follow(outcome: Failed): RecordedFailure {
    const { type } = outcome;
    const attempts = this.#failure?.type === type ? this.#failure.attempts + 1 : 1;
    return { type, attempts, endedAt: this.#wallClock(), delay: nextAttempt(outcome, attempts).after };
  }

  #save(failure: RecordedFailure | undefined): void {
    this.#isRecorded = failure !== undefined;
    this.#record.save(failure);
  }
}
