/**
 * A finalizer on each object that has files: the object goes only once its files are gone.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
 */
import { Backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Alarm } from "../../runtime/alarm.ts";
import { ApiError, isTransient } from "../client/errors.ts";
import { addFinalizer, type FinalizerClient, readMetadata, takeOffFinalizer } from "./finalizer_patch.ts";
import { describeRef, keyOf, type ObjectRef } from "../../objects/ref.ts";
import { type Kind } from "../../objects/kind.ts";
import { type KubeObject } from "../../objects/object.ts";

/**
 * How it stands with an object before its files are written. `held`: it carries the finalizer. `leaving`: it is being
 * deleted, so it gets none. `gone`: it is not there any more, or another has its name. `forbidden`: the API server will
 * not have the finalizer; that has been logged.
 */
export type Hold = "held" | "leaving" | "gone" | "forbidden";

export interface FinalizersOptions {
  client: FinalizerClient;
  /** The finalizer: `example.com/files`. */
  name: string;
  clock: Clock;
  /** A number in [0, 1). */
  random: () => number;
  log: {
    debug(message: string, properties?: Record<string, unknown>): void;
    warn(message: string, properties?: Record<string, unknown>): void;
    error(message: string, properties?: Record<string, unknown>): void;
  };
}

/** How often an object that changes in between is looked at again before the caller is told. */
const ATTEMPTS = 3;

/** Delays before a release is repeated, in seconds. Until it works, the object cannot be deleted. */
const FIRST_RETRY = 1;
const LONGEST_RETRY = 60;

interface Release {
  readonly ref: ObjectRef;
  readonly backoff: Backoff;
  /** By the clock, in ms. */
  dueAt: number;
}

/** Needs the verbs get and patch on the objects. */
export class Finalizers {
  readonly #options: FinalizersOptions;
  readonly #alarm: Alarm;
  readonly #releases = new Map<string, Release>();
  /** The change of an object's finalizers that is under way: the next must not overtake it. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** After a failure that is not one object's: when to go on; by the clock, in ms. */
  #resumeAt = 0;
  #hasReportedRbac = false;

  constructor(options: FinalizersOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** How many objects have yet to be released. */
  get pending(): number {
    return this.#releases.size;
  }

  /**
   * Makes sure that a selected object carries the finalizer; to be called before its first file is written, and again
   * with each version of it. Without a request when it carries it. A release that is queued is cancelled, unless the
   * object is being deleted.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError} what a later attempt may better
   */
  async hold(kind: Kind, object: KubeObject, signal: AbortSignal): Promise<Hold> {
    const { namespace, name, uid, deletionTimestamp, finalizers = [] } = object.metadata;
    const ref: ObjectRef = { kind, namespace, name };
    if (deletionTimestamp !== undefined) return "leaving";
    this.cancelRelease(ref);
    // While a release is under way, the object as we were told it is that of before
    const isKnown = !this.#underWay.has(keyOf(ref)) && finalizers.includes(this.#options.name);
    return isKnown ? "held" : await this.#alone(ref, () => this.#add(ref, uid, signal));
  }

  /**
   * Has the finalizer taken off an object whose files are gone, or that is no longer selected, as soon as {@link
   * Finalizers.run} gets to it. Returns at once.
   */
  release(ref: ObjectRef): void {
    const { random, clock } = this.#options;
    const key = keyOf(ref);
    if (this.#releases.has(key)) return;
    this.#releases.set(key, {
      ref: { kind: ref.kind, namespace: ref.namespace, name: ref.name },
      backoff: new Backoff({ first: FIRST_RETRY, longest: LONGEST_RETRY, random }),
      dueAt: clock.now(),
    });
    this.#alarm.ring();
  }

  /** The object is selected again: it keeps the finalizer. One that is being taken off now, {@link Finalizers.hold} puts back. */
  cancelRelease(ref: ObjectRef): void {
    this.#releases.delete(keyOf(ref));
  }

  /** Works off the releases, each until it has worked, until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const release = this.#nextRelease();
      const due = release && Math.max(release.dueAt, this.#resumeAt);
      if (release === undefined || due === undefined || due > this.#options.clock.now()) {
        await this.#alarm.sleepUntil(due ?? Infinity, signal);
      } else await this.#alone(release.ref, () => this.#takeOff(release, signal));
    }
  }

  /** Tries each release that is queued, once, for a program that ends. Resolves to how many are left. Never rejects. */
  async flush(signal: AbortSignal): Promise<number> {
    for (const release of [...this.#releases.values()]) {
      if (signal.aborted) break;
      await this.#alone(release.ref, () => this.#takeOff(release, signal));
    }
    return this.pending;
  }

  #nextRelease(): Release | undefined {
    let first: Release | undefined;
    for (const release of this.#releases.values()) {
      if (first === undefined || release.dueAt < first.dueAt) first = release;
    }
    return first;
  }

  async #add(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<Hold> {
    try {
      return await this.#tryToAdd(ref, uid, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || isTransient(error) || error.status === 409) throw error;
      return error.status === 404 ? "gone" : this.#refused(ref, error);
    }
  }

  async #tryToAdd(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<Hold> {
    const { client, name } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        const { deletionTimestamp } = await addFinalizer(client, ref, uid, name, signal);
        return deletionTimestamp === undefined ? "held" : "leaving";
      } catch (error) {
        if (!isContested(error) || attempt === ATTEMPTS) throw error;
      }
      const now = await readMetadata(client, ref, signal);
      if (now.uid !== uid) return "gone";
      if (now.deletionTimestamp !== undefined) return "leaving";
    }
  }

  #refused(ref: ObjectRef, error: ApiError): "forbidden" {
    if (error.isForbidden) this.#reportRbac(error);
    else this.#options.log.error(`${describeRef(ref)} gets no finalizer: ${error.message}`);
    return "forbidden";
  }

  async #takeOff(release: Release, signal: AbortSignal): Promise<void> {
    const { client, name, clock } = this.#options;
    const { ref } = release;
    const key = keyOf(ref);
    if (this.#releases.get(key) !== release) return;
    try {
      await takeOffFinalizer(client, ref, name, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError && error.status === 404)) return this.#retry(release, error);
    }
    if (this.#releases.get(key) === release) this.#releases.delete(key);
    this.#resumeAt = clock.now();
  }

  #retry(release: Release, error: unknown): void {
    const { clock, log } = this.#options;
    const delay = release.backoff.next(error instanceof ApiError ? error.retryAfter : 0);
    release.dueAt = clock.now() + delay * 1000;
    if (isTransient(error)) this.#resumeAt = release.dueAt;
    if (error instanceof ApiError && error.isForbidden) this.#reportRbac(error);
    const message = `The finalizer is still on ${describeRef(release.ref)}, which cannot be deleted until it is off: ` +
      `${messageOf(error)}; again in ${delay.toFixed(1)} s`;
    if (release.backoff.failures === 1) log.warn(message);
    else log.debug(message);
  }

  #reportRbac(error: ApiError): void {
    const { log } = this.#options;
    const message =
      `Not allowed to set finalizers: ${error.message}. Give the service account the verbs get and patch ` +
      "on configmaps and secrets by RBAC, or set FINALIZERS=false; files are written all the same";
    if (this.#hasReportedRbac) log.debug(message);
    else log.error(message);
    this.#hasReportedRbac = true;
  }

  /** Runs the action when no other concerns the object. */
  async #alone<T>(ref: ObjectRef, action: () => Promise<T>): Promise<T> {
    const key = keyOf(ref);
    const before = this.#underWay.get(key);
    const result = before === undefined ? action() : before.then(action, action);
    this.#underWay.set(key, result);
    try {
      return await result;
    } finally {
      if (this.#underWay.get(key) === result) this.#underWay.delete(key);
    }
  }
}

/** The object is not as we were told: another has its name, or it is being deleted. Servers differ in how they say so. */
function isContested(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 422);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
