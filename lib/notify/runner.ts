import type { Log } from "../log/log.ts";
import { Alarm } from "../runtime/alarm.ts";
import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { Backlog } from "./backlog.ts";
import { FailedCalls, type RecordedFailure } from "./failed_calls.ts";
import type { Outcome } from "./retry_policy.ts";
import type { CallOptions } from "./webhook.ts";

/** Delays before a failed script is run again, in seconds. */
const MIN_RETRY_SECONDS = 1;
const MAX_RETRY_SECONDS = 60;

/** Seconds between two checks for changed credentials while the application refuses the notification. */
const LOOK_SECONDS = 5;

/** Seconds that a step may exceed its own deadline before the runner counts as stuck. */
const GRACE_SECONDS = 30;

/** The record of pending notifications, which survives a restart (sidecar/collections/pending_notification.ts). */
export interface Pending {
  /** Files that are pending from an earlier run; `undefined` if there are none. */
  load(): readonly string[] | undefined;
  /** Records that these files have changed and the application must be notified. */
  add(paths: Iterable<string>): void;
  /** Records that the application was notified of these files. */
  delivered(paths: Iterable<string>): void;
  /** The failure of the last webhook call; `undefined` if it succeeded. */
  failure(): RecordedFailure | undefined;
  failed(failure: RecordedFailure | undefined): void;
}

/** Monitors the progress of the runner. */
export interface RunnerHeartbeat {
  /** The next step takes at most this long. */
  expectWithin(seconds: number): void;
  /** The runner waits for a change, without a limit. */
  idle(): void;
}

/** `maxSeconds` is the maximum duration of one run. */
export interface RunnableScript {
  readonly maxSeconds: number;
  run(files: string[], signal: AbortSignal): Promise<void>;
}

export interface CallableWebhook {
  /** Identifies the request and its credentials. */
  identity(): Promise<string>;
  call(options: CallOptions): Promise<Outcome>;
}

export interface NotificationRunnerOptions {
  /** Seconds without a further change before the application is notified. */
  quietPeriod: number;
  /** Maximum seconds between the first change and the notification. */
  maxWait: number;
  script: RunnableScript | undefined;
  webhook: CallableWebhook | undefined;
  /** REQ_SKIP_INIT: the webhook is not called for changes of the first sync. */
  skipInit: boolean;
  pending: Pending;
  heartbeat: RunnerHeartbeat;
  clock: Clock;
  /** In ms since 1970. */
  wallClock: () => number;
  random: () => number;
  log: Pick<Log, "debug" | "warn">;
  /** @param files how many files it was about */
  onResult(kind: "script" | "webhook", ok: boolean, seconds: number, files: number): void;
}

/**
 * Notifies the application that files changed: first the script, then the webhook, once for each burst of changes and
 * never two at a time. Modelled on git-sync's HookRunner.
 *
 * Changes during a notification belong to the next one. A failed notification stays pending, together with later
 * changes; the part that succeeded (script or webhook) is not repeated. A failed script runs again with backoff, and at
 * the next change. `retry_policy.ts` decides when a failed webhook is called again. The webhook is called even if the
 * script failed, and once more when the script has succeeded, because the application may depend on the script.
 */
export class NotificationRunner {
  readonly #options: NotificationRunnerOptions;
  readonly #alarm: Alarm;
  readonly #forScript: Backlog;
  readonly #forWebhook: Backlog;
  readonly #scriptBackoff: Backoff;
  readonly #failedCalls: FailedCalls;
  /** The webhook was called although the script had failed. */
  #webhookAfterScript = false;
  #round: Promise<void> | undefined;

  constructor(options: NotificationRunnerOptions) {
    const { clock, pending, random, script, webhook } = options;
    this.#options = options;
    this.#alarm = new Alarm(clock);
    this.#forScript = new Backlog(options);
    this.#forWebhook = new Backlog(options);
    this.#scriptBackoff = new Backoff({ first: MIN_RETRY_SECONDS, longest: MAX_RETRY_SECONDS, random });
    this.#failedCalls = new FailedCalls(
      { load: () => pending.failure(), save: (it) => this.#recordFailure(it) },
      () => options.wallClock(),
    );
    const files = pending.load();
    if (files === undefined) return;
    if (script !== undefined) this.#forScript.add(files, clock.now(), { isNew: false });
    if (webhook === undefined) return;
    const { next } = this.#failedCalls;
    if (next !== undefined) this.#forWebhook.failed([], this.#retry(next));
    this.#forWebhook.add(files, clock.now(), { isNew: false });
  }

  /** Whether there are changes that the application has not been notified of. */
  get isPending(): boolean {
    return !this.#forScript.isEmpty || !this.#forWebhook.isEmpty || this.#round !== undefined;
  }

  /** Since when there are such changes, by the clock in ms. */
  get pendingSince(): number | undefined {
    const times = [this.#forScript.since, this.#forWebhook.since].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Files changed on disk. Returns at once and never throws. `initial`: in the first sync after the start. */
  changed(files: Iterable<string>, { initial }: { initial: boolean }): void {
    const { script, webhook, pending, clock, skipInit } = this.#options;
    const paths = [...files];
    const isForWebhook = webhook !== undefined && !(initial && skipInit);
    if (paths.length === 0 || (script === undefined && !isForWebhook)) return;
    if (script !== undefined) this.#forScript.add(paths, clock.now(), { isNew: true });
    if (isForWebhook) this.#forWebhook.add(paths, clock.now(), { isNew: true });
    this.#record(() => pending.add(paths));
    this.#alarm.ring();
  }

  /** Notifies until the signal aborts. Changes that are still pending remain recorded. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#hurryIfOutdated();
      this.#logWaitingNotification();
      while (!signal.aborted) {
        if (this.dueAt <= this.#options.clock.now()) await this.#inTurn(signal, { isLast: false });
        else await this.#wait(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /**
   * Notifies of pending changes now, once and without a retry (METHOD=LIST). Resolves to whether nothing is pending. A
   * notification that the application has refused is not repeated unless the request or its credentials have changed.
   */
  async flush(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return !this.isPending;
    await this.#hurryIfOutdated();
    this.#logWaitingNotification();
    const waits = this.#forWebhook.isWaiting && this.#forWebhook.retry?.orOnChange;
    for (const backlog of waits ? [this.#forScript] : [this.#forScript, this.#forWebhook]) backlog.hurry();
    await this.#inTurn(signal, { isLast: true }).catch(() => {});
    return !this.isPending;
  }

  /** When the next step is due, by the clock in ms; `Infinity`: nothing is pending, or it is under way. */
  get dueAt(): number {
    return Math.min(this.#forScript.dueAt, this.#forWebhook.dueAt);
  }

  /** Waits until something is due, files change, or the credentials must be checked again. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock, heartbeat } = this.#options;
    const looks = this.#forWebhook.isWaiting && this.#forWebhook.retry?.orOnChange;
    const end = Math.min(this.dueAt, looks ? clock.now() + LOOK_SECONDS * 1000 : Infinity);
    if (end === Infinity) heartbeat.idle();
    else heartbeat.expectWithin((end - clock.now()) / 1000 + GRACE_SECONDS);
    await this.#alarm.sleepUntil(end, signal);
    if (looks && clock.now() >= end) await this.#hurryIfOutdated();
  }

  /** Makes the webhook due if the request or its credentials have changed since it was refused. */
  async #hurryIfOutdated(): Promise<void> {
    const { webhook } = this.#options;
    if (webhook === undefined || !this.#forWebhook.isWaiting || !this.#forWebhook.retry?.orOnChange) return;
    if (await this.#failedCalls.isOutdated(await webhook.identity())) this.#forWebhook.hurry();
  }

  async #inTurn(signal: AbortSignal, { isLast }: { isLast: boolean }): Promise<void> {
    while (this.#round !== undefined) await this.#round.catch(() => {});
    this.#round = this.#notify(signal, isLast);
    try {
      await this.#round;
    } finally {
      this.#round = undefined;
    }
  }

  /** Runs the script and calls the webhook, as far as they are due. */
  async #notify(signal: AbortSignal, isLast: boolean): Promise<void> {
    const now = this.#options.clock.now();
    const forScript = this.#forScript.dueAt <= now ? this.#forScript.take() : undefined;
    let forWebhook = this.#forWebhook.dueAt <= now ? this.#forWebhook.take() : undefined;
    if (forScript !== undefined && await this.#runScript(forScript, signal) && this.#webhookAfterScript) {
      this.#webhookAfterScript = false;
      if (this.#forWebhook.isWaiting) this.#forWebhook.put(forScript);
      else forWebhook = new Set([...forWebhook ?? [], ...forScript]);
    }
    if (forWebhook !== undefined) await this.#callWebhook(forWebhook, signal, isLast);
    signal.throwIfAborted();
    if (forScript ?? forWebhook) this.#recordDelivery(new Set([...forScript ?? [], ...forWebhook ?? []]));
  }

  /** @returns whether it succeeded */
  async #runScript(files: Set<string>, signal: AbortSignal): Promise<boolean> {
    const { clock, heartbeat, log, script } = this.#options;
    heartbeat.expectWithin(script!.maxSeconds + GRACE_SECONDS);
    const started = clock.now();
    let failure: unknown;
    await script!.run([...files], signal).catch((error) => failure = error ?? true);
    if (failure !== undefined) {
      const delay = this.#scriptBackoff.next();
      this.#forScript.failed(files, { at: clock.now() + delay * 1000, orOnChange: true });
      if (signal.aborted) return false;
      log.debug(`Running the script again in ${delay.toFixed(1)} s, or when files change`);
    } else {
      this.#scriptBackoff.reset();
      this.#forScript.succeeded();
    }
    this.#options.onResult("script", failure === undefined, (clock.now() - started) / 1000, files.size);
    return failure === undefined;
  }

  async #callWebhook(files: Set<string>, signal: AbortSignal, isLast: boolean): Promise<void> {
    const { clock, heartbeat, log, webhook } = this.#options;
    const started = clock.now();
    let outcome: Outcome;
    let identity: string;
    try {
      signal.throwIfAborted();
      identity = await webhook!.identity();
      outcome = await webhook!.call({
        signal,
        isLast,
        expectWithin: (seconds) => heartbeat.expectWithin(seconds + GRACE_SECONDS),
        onUnanswered: () => this.#failedCalls.unanswered(),
      });
    } catch (error) {
      this.#forWebhook.put(files);
      throw error;
    }
    if (!this.#forScript.isEmpty && this.#forScript.retry !== undefined) this.#webhookAfterScript = true;
    if (outcome.type === "delivered") {
      this.#forWebhook.succeeded();
      this.#failedCalls.succeeded();
    } else {
      const next = this.#failedCalls.failed(outcome, identity);
      this.#forWebhook.failed(files, this.#retry(next));
      log.debug(`Calling again in ${next.after} s${next.orOnChange ? ", or when files or credentials change" : ""}`);
      if (next.orOnChange) await this.#failedCalls.recordFingerprint();
    }
    this.#options.onResult("webhook", outcome.type === "delivered", (clock.now() - started) / 1000, files.size);
  }

  #retry({ after, orOnChange }: { after: number; orOnChange: boolean }): { at: number; orOnChange: boolean } {
    return { at: this.#options.clock.now() + after * 1000, orOnChange };
  }

  #logWaitingNotification(): void {
    const { last } = this.#failedCalls;
    const { isWaiting, retry } = this.#forWebhook;
    const seconds = Math.round((this.#forWebhook.dueAt - this.#options.clock.now()) / 1000);
    if (last === undefined || !isWaiting || !retry?.orOnChange || seconds <= 0) return;
    const what = last.type === "refused" ? "refused" : "did not answer";
    this.#options.log.warn(
      `The webhook ${what} a notification of an earlier run, which is pending. It is called again when files or credentials ` +
        `change, else in ${seconds} s`,
    );
  }

  #recordDelivery(notified: ReadonlySet<string>): void {
    const delivered = [...notified].filter((path) => !this.#forScript.has(path) && !this.#forWebhook.has(path));
    const isAll = this.#forScript.isEmpty && this.#forWebhook.isEmpty;
    if (delivered.length > 0 || isAll) this.#record(() => this.#options.pending.delivered(delivered));
  }

  #recordFailure(failure: RecordedFailure | undefined): void {
    this.#record(() => this.#options.pending.failed(failure));
  }

  #record(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#options.log.warn(
        `The record of pending notifications could not be updated: ${error}. After a restart the application is notified again`,
      );
    }
  }
}
