import { Backoff } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";

/** Delays before a failed notification is repeated, in seconds. */
const FIRST_RETRY = 1;
const LONGEST_RETRY = 60;

/** Where it is recorded that a notification is owed, so that a restart does not lose it. */
export interface Debt {
  /** Files that an earlier run did not get to tell about; `undefined` when it owed nothing. */
  load(): string[] | undefined;
  /** From now on a notification is owed. */
  owe(): void;
  /** Nothing is owed any more. */
  paid(): void;
}

export interface RunnerLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}

export interface NotificationRunnerOptions {
  /** Seconds without a further change before the application is told. */
  quietPeriod: number;
  /** Seconds after the first change when it is told in any case. */
  maxWait: number;
  script?: { run(files: string[], signal: AbortSignal): Promise<void> } | undefined;
  webhook?: { call(signal: AbortSignal): Promise<void> } | undefined;
  /** REQ_SKIP_INIT: changes of the first sync are told to the script only. */
  skipInit?: boolean;
  debt: Debt;
  clock: Clock;
  random: () => number;
  log: RunnerLog;
  onResult?(kind: "script" | "webhook", ok: boolean, seconds: number): void;
}

/**
 * Tells the application that files changed: the script, then the webhook, one notification per burst of changes and
 * never two at a time. git-sync's HookRunner is the model.
 *
 * Changes gather in one slot until they have been quiet for `quietPeriod`, at most `maxWait` after the first; those that
 * come while a notification runs are the next one. What fails stays owed and is repeated with backoff until it
 * succeeds, together with what changed meanwhile; what succeeded is not repeated. A failed script does not hold the
 * webhook up, but since the script comes first, the webhook is called once more when the script has succeeded.
 */
export class NotificationRunner {
  readonly #options: NotificationRunnerOptions;
  readonly #backoff: Backoff;
  /** Files the script has not been told about; `undefined` when it need not run. */
  #forScript: Set<string> | undefined;
  #webhookOwed = false;
  #webhookAfterScript = false;
  /** Whether {@link Debt} says that something is owed. */
  #recorded: boolean;
  #firstChange: number | undefined;
  #lastChange = 0;
  #wake = () => {};
  #round: Promise<boolean> | undefined;

  constructor(options: NotificationRunnerOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ first: FIRST_RETRY, longest: LONGEST_RETRY, random: options.random });
    const debt = options.debt.load();
    this.#recorded = debt !== undefined;
    if (debt === undefined) return;
    if (options.script !== undefined) this.#forScript = new Set(debt);
    this.#webhookOwed = options.webhook !== undefined;
    this.#firstChange = this.#lastChange = options.clock.now();
  }

  /** Whether the application has yet to be told about something. */
  get owed(): boolean {
    return this.#due || this.#round !== undefined;
  }

  /** Whether there is something that no notification under way has taken up. */
  get #due(): boolean {
    return this.#forScript !== undefined || this.#webhookOwed || this.#webhookAfterScript;
  }

  /** Files changed on disk. Returns at once and never throws. `initial`: in the first sync after the start. */
  changed(files: Iterable<string>, { initial = false } = {}): void {
    const { debt, log, skipInit } = this.#options;
    if (!this.#add(files, !(initial && skipInit)) || this.#recorded) return;
    this.#recorded = true;
    try {
      debt.owe();
    } catch (error) {
      log.warn(
        `That a notification is owed could not be recorded: ${error}. A restart before it is sent would lose it`,
      );
    }
  }

  /** Notifies until the signal aborts; then resolves, and what is still owed stays so. */
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

  /** Notifies once, now, of what is owed (METHOD=LIST). Resolves to whether nothing is owed any more; no retry. */
  async flush(signal: AbortSignal): Promise<boolean> {
    if (!signal.aborted) await this.#notify(signal).catch(() => {});
    return !this.owed;
  }

  /** @returns whether there is something to tell, and somebody to tell it to */
  #add(files: Iterable<string>, tellWebhook: boolean): boolean {
    const { script, webhook, clock } = this.#options;
    const paths = [...files];
    const owes = webhook !== undefined && tellWebhook;
    if (paths.length === 0 || script === undefined && !owes) return false;
    if (script !== undefined) {
      this.#forScript ??= new Set();
      for (const path of paths) this.#forScript.add(path);
    }
    if (owes) this.#webhookOwed = true;
    this.#lastChange = clock.now();
    this.#firstChange ??= this.#lastChange;
    this.#wake();
    return true;
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#due) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#wake = resolve;
    await promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    const { clock, quietPeriod, maxWait } = this.#options;
    while (this.#firstChange !== undefined) {
      const due = Math.min(this.#lastChange + quietPeriod * 1000, this.#firstChange + maxWait * 1000);
      if (clock.now() >= due) return;
      await clock.sleep((due - clock.now()) / 1000, signal);
    }
  }

  async #delay(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const delay = this.#backoff.next();
    log.warn(`The application has not been told yet; again in ${delay.toFixed(1)} s`, {
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

  /** @returns whether all that was owed at the beginning has been told */
  async #notifyOnce(signal: AbortSignal): Promise<boolean> {
    const { script, webhook } = this.#options;
    const files = this.#forScript;
    let callWebhook = this.#webhookOwed;
    this.#firstChange = this.#forScript = undefined;
    this.#webhookOwed = false;

    let scriptOk = true;
    if (script !== undefined && files !== undefined) {
      scriptOk = await this.#tell("script", () => script.run([...files], signal), signal);
      if (!scriptOk) this.#forScript = union(files, this.#forScript);
    }
    if (scriptOk && this.#webhookAfterScript) {
      this.#webhookAfterScript = false;
      callWebhook = true;
    }
    let webhookOk = true;
    if (webhook !== undefined && callWebhook) {
      webhookOk = !signal.aborted && await this.#tell("webhook", () => webhook.call(signal), signal);
      if (!webhookOk) this.#webhookOwed = true;
      if (!scriptOk) this.#webhookAfterScript = true;
    }
    signal.throwIfAborted();
    if (!this.#due) this.#pay();
    return scriptOk && webhookOk;
  }

  /** @returns success; being stopped is no success, and no failure to report either */
  async #tell(kind: "script" | "webhook", action: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const { clock, log, onResult } = this.#options;
    const started = clock.now();
    let ok = true;
    try {
      await action();
    } catch (error) {
      if (signal.aborted) return false;
      ok = false;
      log.debug(`Notification by ${kind} failed`, { error: String(error) });
    }
    onResult?.(kind, ok, (clock.now() - started) / 1000);
    return ok;
  }

  #pay(): void {
    this.#recorded = false;
    try {
      this.#options.debt.paid();
    } catch (error) {
      this.#options.log.warn(
        `That the application was told could not be recorded: ${error}. A restart would tell it again`,
      );
    }
  }
}

function union(files: Set<string>, newer: Set<string> | undefined): Set<string> {
  for (const file of newer ?? []) files.add(file);
  return files;
}
