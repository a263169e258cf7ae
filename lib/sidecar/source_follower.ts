/** Follows one source: what its watcher yields goes to the reconciler, and how it fares into log, metrics and health. */
import { ApiError, isFinal } from "../kube/client/errors.ts";
import { describeSource, type Source } from "../objects/source.ts";
import { type KubeObject } from "../objects/object.ts";
import type { Watcher, WatcherEvent } from "../kube/watch/watcher.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../log/log.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";

type Failed = WatcherEvent & { type: "failed" };

export interface SourceFollowerOptions {
  source: Source;
  watcher: Pick<Watcher, "run">;
  reconciler: Pick<Reconciler, "beginList" | "endList" | "apply" | "delete" | "retire">;
  /** Asked before an object is published; `retire`: it is being deleted, its files must go. */
  admit: ((source: Source, object: KubeObject, signal: AbortSignal) => Promise<"apply" | "retire">) | undefined;
  onFailure(error: unknown): void;
  clock: Clock;
  log: Log;
}

/** METHOD=LIST gives up after so many failures in a row: whoever waits for it can start it again. */
const LIST_ATTEMPTS = 3;

export class SourceFollower {
  readonly #options: SourceFollowerOptions;
  /** By the clock, in ms. */
  #contactAt: number;
  #failure: string | undefined;
  #wasForbidden = false;

  constructor(options: SourceFollowerOptions) {
    this.#options = options;
    this.#contactAt = options.clock.now();
  }

  /** There was a sign of the API server. */
  contacted(): void {
    this.#contactAt = this.#options.clock.now();
  }

  /** Seconds since the last sign of the API server. */
  get silence(): number {
    return (this.#options.clock.now() - this.#contactAt) / 1000;
  }

  get source(): Source {
    return this.#options.source;
  }

  /** Why the source fails now; `undefined` when it works. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Until the signal aborts. `once`: until the source was listed in full, or there is no use in trying on. */
  async run(signal: AbortSignal, { once }: { once: boolean }): Promise<void> {
    for await (const event of this.#options.watcher.run(signal)) {
      if (event.type === "failed") this.#failed(event);
      else await this.#take(event, signal);
      if (once && (event.type === "initDone" || (event.type === "failed" && givesUp(event)))) return;
    }
  }

  async #take(event: Exclude<WatcherEvent, Failed>, signal: AbortSignal): Promise<void> {
    const { reconciler, source } = this.#options;
    switch (event.type) {
      case "init":
        return reconciler.beginList(source);
      case "initDone":
        this.#works();
        return reconciler.endList(source);
      case "resumed":
        return this.#works();
      case "delete":
        this.#works();
        return reconciler.delete(source, event.object);
      case "apply":
        this.#works();
        return await this.#apply([event.object], false, signal);
      case "initApply":
        return await this.#apply(event.objects, true, signal);
    }
  }

  async #apply(objects: readonly KubeObject[], listed: boolean, signal: AbortSignal): Promise<void> {
    const { reconciler, source, admit } = this.#options;
    for (const object of objects) {
      if (admit !== undefined && await admit(source, object, signal) === "retire") reconciler.retire(source, object);
      else reconciler.apply(source, object, listed);
    }
  }

  /** One line when something begins to fail and one when it changes; what only repeats is for the debug log. */
  #failed({ error, retryIn, failures }: Failed): void {
    const { log, onFailure, source } = this.#options;
    const reason = reasonOf(error, source);
    onFailure(error);
    if (retryIn === 0) return log.debug(`listing ${describeSource(source)} anew: ${reason}`);
    const isForbidden = error instanceof ApiError && error.isForbidden;
    // A streaming list is refused as a watch, a list as a list: the same right is missing
    const isNews = this.#failure !== reason && !(isForbidden && this.#wasForbidden);
    this.#failure = reason;
    this.#wasForbidden = isForbidden;
    const line = `${reason}; again in ${retryIn.toFixed(1)} s`;
    if (!isNews) log.debug(line, { failures });
    else if (isFinal(error)) log.error(line);
    else log.warn(line);
  }

  #works(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#wasForbidden = false;
    this.#options.log.info(`following ${describeSource(this.source)} again`);
  }
}

/** METHOD=LIST does not try again. */
function givesUp({ error, failures }: Failed): boolean {
  return isFinal(error) || failures >= LIST_ATTEMPTS;
}

function reasonOf(error: unknown, source: Source): string {
  if (error instanceof ApiError && error.isForbidden) {
    const verb = error.message.includes("cannot watch") ? "watch" : "list";
    return `not allowed to ${verb} ${
      describeSource(source)
    }: give the service account get, list and watch there by RBAC, or ask for less with NAMESPACE or RESOURCE`;
  }
  return error instanceof Error ? error.message : String(error);
}
