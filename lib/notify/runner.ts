import { Backoff } from "../runtime/backoff.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";

/** Delays before a failed notification is retried, in seconds. */
const MIN_RETRY_SECONDS = 1;
const MAX_RETRY_SECONDS = 60;

/** Seconds that a step may take beyond its own deadline before the runner counts as stuck. */
const GRACE_SECONDS = 30;

/** The record of files whose change has not been notified yet, which outlives this process. */
export interface Pending {
  /** Files whose change has not been notified yet; `undefined` when there are none. */
  load(): readonly string[] | undefined;
  /** The changes of these files have been notified. */
  delivered(files: Iterable<string>): void;
}

/** Sees whether the runner makes progress. */
export interface RunnerHeartbeat {
  /** The next step takes at most this long. */
  expectWithin(seconds: number): void;
  /** Waiting for a change, for as long as it takes. */
  idle(): void;
}

/** `maxSeconds` is the longest that one call can take. */
export interface RunnableScript {
  readonly maxSeconds: number;
  run(files: string[], signal: AbortSignal): Promise<void>;
}

export interface CallableWebhook {
  readonly maxSeconds: number;
  call(signal: AbortSignal): Promise<void>;
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
  random: () => number;
  log: Pick<Log, "debug" | "warn">;
  onResult(kind: "script" | "webhook", ok: boolean, seconds: number): void;
}

/**
 * Notifies the application that files changed: first the script, then the webhook, once for each burst of changes and
 * never two at a time. Modelled on git-sync's HookRunner.
 *
 * Changes are collected until there has been none for `quietPeriod`, at most `maxWait` after the first. Changes during a
 * notification belong to the next one. A failed notification stays pending and is retried with backoff until it succeeds,
 * together with later changes; what succeeded is not repeated. The webhook is called even if the script failed, and once
 * more when the script has succeeded, because the application may depend on what the script does.
 */
export class NotificationRunner {
  readonly #options: NotificationRunnerOptions;
  readonly #backoff: Backoff;
  /** Files that the script has not run for; `undefined` when it need not run. */
  #forScript: Set<string> | undefined;
  #webhookPending = false;
  #webhookAfterScript = false;
  #firstChange: number | undefined;
  #lastChange = 0;
  #wake = () => {};
  #round: Promise<boolean> | undefined;

  constructor(options: NotificationRunnerOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ first: MIN_RETRY_SECONDS, longest: MAX_RETRY_SECONDS, random: options.random });
    const files = options.pending.load();
    if (files === undefined) return;
    if (options.script !== undefined) this.#forScript = new Set(files);
    this.#webhookPending = options.webhook !== undefined;
    this.#firstChange = this.#lastChange = options.clock.now();
  }

  /** There are changes that the application has not been notified of. */
  get isPending(): boolean {
    return this.#due || this.#round !== undefined;
  }

  /** There are changes that are not part of the current notification. */
  get #due(): boolean {
    return this.#forScript !== undefined || this.#webhookPending || this.#webhookAfterScript;
  }

  /** Files changed on disk. Returns at once and never throws. `initial`: in the first sync after the start. */
  changed(files: Iterable<string>, { initial }: { initial: boolean }): void {
    const { script, webhook, clock, skipInit } = this.#options;
    const paths = [...files];
    const isForWebhook = webhook !== undefined && !(initial && skipInit);
    if (paths.length === 0 || (script === undefined && !isForWebhook)) return;
    if (script !== undefined) {
      this.#forScript ??= new Set();
      for (const path of paths) this.#forScript.add(path);
    }
    if (isForWebhook) this.#webhookPending = true;
    this.#lastChange = clock.now();
    this.#firstChange ??= this.#lastChange;
    this.#wake();
  }

  /** Notifies until the signal aborts, and then resolves. Changes that are still pending remain recorded. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (true) {
        await this.#change(signal);
        await this.#quiet(signal);
        if (await this.#notify(signal)) this.#backoff.reset();
        else await this.#delay(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Notifies of pending changes now, once and without a retry (METHOD=LIST). Resolves to whether none are pending. */
  async flush(signal: AbortSignal): Promise<boolean> {
    if (!signal.aborted) await this.#notify(signal).catch(() => {});
    return !this.isPending;
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#due) return;
    this.#options.heartbeat.idle();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#wake = resolve;
    await promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    const { clock, heartbeat, quietPeriod, maxWait } = this.#options;
    heartbeat.expectWithin(maxWait + GRACE_SECONDS);
    while (this.#firstChange !== undefined) {
      const due = Math.min(this.#lastChange + quietPeriod * 1000, this.#firstChange + maxWait * 1000);
      if (clock.now() >= due) return;
      await clock.sleep((due - clock.now()) / 1000, signal);
    }
  }

  async #delay(signal: AbortSignal): Promise<void> {
    const { clock, heartbeat, log } = this.#options;
    const delay = this.#backoff.next();
    heartbeat.expectWithin(delay + GRACE_SECONDS);
    log.warn(`The application has not been notified yet; retrying in ${delay.toFixed(1)} s`, {
      failures: this.#backoff.failures,
    });
    await clock.sleep(delay, signal);
  }

  async #notify(signal: AbortSignal): Promise<boolean> {
    while (this.#round !== undefined) await this.#round.catch(() => {});
    if (!this.#due) return true;
    this.#round = this.#notifyOnce(signal);
    try {
      return await this.#round;
    } finally {
      this.#round = undefined;
    }
  }

  /** @returns whether every change up to its start has been notified */
  async #notifyOnce(signal: AbortSignal): Promise<boolean> {
    const { script, webhook } = this.#options;
    const files = this.#forScript;
    const recorded = this.#options.pending.load() ?? [];
    let callWebhook = this.#webhookPending;
    this.#firstChange = this.#forScript = undefined;
    this.#webhookPending = false;

    let scriptOk = true;
    if (script !== undefined && files !== undefined) {
      scriptOk = await this.#tell("script", script.maxSeconds, () => script.run([...files], signal), signal);
      if (!scriptOk) this.#forScript = union(files, this.#forScript);
    }
    if (scriptOk && this.#webhookAfterScript) {
      this.#webhookAfterScript = false;
      callWebhook = true;
    }
    let webhookOk = true;
    if (webhook !== undefined && callWebhook) {
      webhookOk = !signal.aborted &&
        await this.#tell("webhook", webhook.maxSeconds, () => webhook.call(signal), signal);
      if (!webhookOk) this.#webhookPending = true;
      if (!scriptOk) this.#webhookAfterScript = true;
    }
    signal.throwIfAborted();
    if (!this.#due) this.#recordDelivery(recorded);
    return scriptOk && webhookOk;
  }

  /** @returns whether it succeeded. An action that was aborted did not, and is not reported as a result */
  async #tell(
    kind: "script" | "webhook",
    maxSeconds: number,
    action: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, heartbeat, log, onResult } = this.#options;
    heartbeat.expectWithin(maxSeconds + GRACE_SECONDS);
    const started = clock.now();
    let ok = true;
    try {
      await action();
    } catch (error) {
      if (signal.aborted) return false;
      ok = false;
      log.debug(`Notification by ${kind} failed`, { error: String(error) });
    }
    onResult(kind, ok, (clock.now() - started) / 1000);
    return ok;
  }

  #recordDelivery(files: readonly string[]): void {
    try {
      this.#options.pending.delivered(files);
    } catch (error) {
      this.#options.log.warn(
        `The record of pending notifications could not be updated: ${error}. After a restart the application is notified again`,
      );
    }
  }
}

function union(files: Set<string>, newer: Set<string> | undefined): Set<string> {
  for (const file of newer ?? []) files.add(file);
  return files;
}
