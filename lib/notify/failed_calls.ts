import { given } from "../runtime/given.ts";
import { fingerprintOf, matchesFingerprint } from "./fingerprint.ts";
import { type Failed, MAX_DELAY_SECONDS, type NextAttempt, nextAttempt } from "./retry_policy.ts";

/** A failure as the record has it. */
export interface RecordedFailure {
  type: string;
  /** Attempts in a row that ended like this. */
  attempts: number;
  /** By the wall clock, in ms since 1970. */
  endedAt: number;
  /** Seconds from then to the next attempt. */
  delay: number;
  /** Of what was refused, with its credentials ({@link fingerprintOf}). */
  fingerprint?: string;
}

export interface FailureRecord {
  /** The failure that an earlier run recorded. */
  load(): RecordedFailure | undefined;
  save(failure: RecordedFailure | undefined): void;
}

const TYPES: ReadonlySet<string> = new Set<Failed["type"]>(["unavailable", "unanswered", "refused", "failed"]);

/** The calls that failed since the last success, also of an earlier run, and when to call again. */
export class FailedCalls {
  readonly #record: FailureRecord;
  /** In ms since 1970. */
  readonly #wallClock: () => number;
  /** What the last failure called, and with which credentials, once that is known in this run. */
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

  /** What follows the last failure, from now. A wall clock that was set makes it sooner, or as late as from the failure. */
  get next(): NextAttempt | undefined {
    if (this.#failure === undefined) return undefined;
    const { type, attempts, endedAt, delay } = this.#failure;
    const left = endedAt / 1000 + delay - this.#wallClock() / 1000;
    const after = Math.max(0, Math.min(left, delay, MAX_DELAY_SECONDS));
    return { after, orOnChange: nextAttempt({ type } as Failed, attempts).orOnChange };
  }

  /** A call was not answered in time, and its end is waited for. If this program ends first, that is how the call ended. */
  unanswered(): void {
    this.#save(this.#follow({ type: "unanswered" }));
  }

  /** @param identity what was called, and with which credentials */
  failed(outcome: Failed, identity: string): NextAttempt {
    const failure = this.#follow(outcome);
    const fingerprint = this.#identity === identity ? this.#failure?.fingerprint : undefined;
    this.#identity = identity;
    this.#failure = { ...failure, ...given("fingerprint", fingerprint) };
    this.#save(this.#failure);
    return nextAttempt(outcome, failure.attempts);
  }

  /** Adds to the record how the next start sees whether credentials have changed. Takes a tenth of a second. */
  async recordFingerprint(): Promise<void> {
    if (this.#failure === undefined || this.#failure.fingerprint !== undefined) return;
    this.#failure.fingerprint = await fingerprintOf(this.#identity ?? "");
    this.#save(this.#failure);
  }

  succeeded(): void {
    this.#failure = this.#identity = undefined;
    if (this.#isRecorded) this.#save(undefined);
  }

  /** Whether something else would be called now, or with other credentials, than what failed. */
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
