/**
 * Puts a finalizer on each object that has files, so that Kubernetes deletes the object only after its files were
 * removed.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
 */
import { Backoff } from "../../runtime/backoff.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Alarm } from "../../runtime/alarm.ts";
import { Deadline } from "../../runtime/deadline.ts";
import type { Heartbeat } from "../../runtime/heartbeat.ts";
import { unlessAborted } from "../../runtime/unless_aborted.ts";
import { TransportError } from "../../http/transport.ts";
import { MAX_OBJECT_SECONDS } from "../client/dead_connection.ts";
import { ApiError, isTransient } from "../client/errors.ts";
import { addFinalizer, type FinalizerClient, readMetadata, removeFinalizer } from "./finalizer_patch.ts";
import type { Log } from "../../log/log.ts";
import { aboutObject, describeRef, keyOf, type ObjectRef } from "../../objects/ref.ts";
import { type Kind } from "../../objects/kind.ts";
import { type KubeObject } from "../../objects/object.ts";

/**
 * The result of adding the finalizer. `added`: the object carries it. `deleting`: the object is being deleted and
 * cannot get it. `gone`: the object no longer exists, or another object has its name. `forbidden`: the API server
 * refused the finalizer; the refusal was logged.
 */
export type FinalizerState = "added" | "deleting" | "gone" | "forbidden";

export interface FinalizersOptions {
  client: FinalizerClient;
  /** FINALIZER_NAME: `example.com/files`. */
  name: string;
  clock: Clock;
  /** A number in [0, 1). */
  random: () => number;
  heartbeat: Pick<Heartbeat, "expectWithin" | "idle">;
  /** `false` with METHOD=LIST: what is not removed when the program ends stays. */
  retries?: boolean;
  log: Pick<Log, "debug" | "info" | "warn" | "error">;
}

/** Maximum attempts to add the finalizer to an object that changes concurrently. */
const MAX_ATTEMPTS = 3;

/** Maximum seconds to add the finalizer to one object, for all attempts together: its files wait for it. */
const MAX_ADD_SECONDS = 60;

/** Maximum seconds for a release: its own request, and one for the same object before it. */
const MAX_RELEASE_SECONDS = 2 * MAX_OBJECT_SECONDS;

/** Seconds that a step of the loop may be late, on an overloaded machine. */
const HEARTBEAT_GRACE_SECONDS = 60;

/** Delays before a release is repeated, in seconds. Until it succeeds, the object cannot be deleted. */
const FIRST_RETRY_SECONDS = 1;
const MAX_RETRY_SECONDS = 60;

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
  /** The last pending change of each object's finalizers. The next change of that object waits for it. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** After a failure of the API server: when the loop continues; by the clock, in ms. */
  #resumeAt = 0;
  #hasReportedRbac = false;

  constructor(options: FinalizersOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
  }

  /** Number of objects that have not been released yet. */
  get pending(): number {
    return this.#releases.size;
  }

  /**
   * Ensures that a selected object carries the finalizer. Call it before the first file of the object is written, and
   * for each of its versions; it makes no request if the finalizer is there. Cancels a queued release, unless the
   * object is being deleted.
   *
   * @throws {ApiError | AnswerError | TransportError | CredentialsError} a retry may succeed
   */
  async add(kind: Kind, object: KubeObject, signal: AbortSignal): Promise<FinalizerState> {
    const { namespace, name, uid, deletionTimestamp, finalizers = [] } = object.metadata;
    const ref: ObjectRef = { kind, namespace, name };
    if (deletionTimestamp !== undefined) return "deleting";
    // If the release is already under way, the finalizer is added again below
    this.#releases.delete(keyOf(ref));
    // While a change is under way, `finalizers` may be outdated
    if (!this.#underWay.has(keyOf(ref)) && finalizers.includes(this.#options.name)) return "added";
    using deadline = new Deadline(this.#options.clock, MAX_ADD_SECONDS, signal);
    const added = this.#inTurn(ref, () => this.#add(ref, uid, deadline.signal));
    try {
      return await unlessAborted(added, deadline.signal);
    } catch (error) {
      if (!deadline.passed) throw error;
      const message = `${describeRef(ref)} has no finalizer after ${MAX_ADD_SECONDS} s`;
      throw new TransportError("read", message, { cause: error });
    }
  }

  /**
   * Queues the removal of the finalizer from an object that has no files any more, for {@link Finalizers.run}.
   */
  release(ref: ObjectRef): void {
    const { random, clock } = this.#options;
    const key = keyOf(ref);
    if (this.#releases.has(key)) return;
    this.#releases.set(key, {
      ref: { kind: ref.kind, namespace: ref.namespace, name: ref.name },
      backoff: new Backoff({ first: FIRST_RETRY_SECONDS, longest: MAX_RETRY_SECONDS, random }),
      dueAt: clock.now(),
    });
    this.#alarm.ring();
  }

  /** Makes the queued releases until the signal aborts, and retries each until it succeeds. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, heartbeat } = this.#options;
    while (!signal.aborted) {
      const release = this.#nextRelease();
      const dueAt = release === undefined ? Infinity : Math.max(release.dueAt, this.#resumeAt);
      if (release === undefined || dueAt > clock.now()) {
        this.#expectWithin((dueAt - clock.now()) / 1000);
        await this.#alarm.sleepUntil(dueAt, signal);
      } else {
        this.#expectWithin(MAX_RELEASE_SECONDS);
        await this.#inTurn(release.ref, () => this.#remove(release, signal));
      }
    }
    heartbeat.idle();
  }

  /** Tries each queued release once, before the program ends. Resolves to the number of those left. Never rejects. */
  async flush(signal: AbortSignal): Promise<number> {
    for (const release of [...this.#releases.values()]) {
      if (signal.aborted) break;
      await this.#inTurn(release.ref, () => this.#remove(release, signal));
    }
    return this.pending;
  }

  #expectWithin(seconds: number): void {
    this.#options.heartbeat.expectWithin(seconds + HEARTBEAT_GRACE_SECONDS);
  }

  #nextRelease(): Release | undefined {
    let first: Release | undefined;
    for (const release of this.#releases.values()) {
      if (first === undefined || release.dueAt < first.dueAt) first = release;
    }
    return first;
  }

  async #add(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<FinalizerState> {
    try {
      return await this.#tryToAdd(ref, uid, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || isTransient(error) || error.status === 409) throw error;
      return error.status === 404 ? "gone" : this.#refused(ref, error);
    }
  }

  async #tryToAdd(ref: ObjectRef, uid: string, signal: AbortSignal): Promise<FinalizerState> {
    const { client, name } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        const { deletionTimestamp } = await addFinalizer(client, ref, uid, name, signal);
        this.#allowed();
        return deletionTimestamp === undefined ? "added" : "deleting";
      } catch (error) {
        if (!isContested(error) || attempt === MAX_ATTEMPTS) throw error;
      }
      const now = await readMetadata(client, ref, signal);
      if (now.uid !== uid) return "gone";
      if (now.deletionTimestamp !== undefined) return "deleting";
    }
  }

  #refused(ref: ObjectRef, error: ApiError): "forbidden" {
    if (error.isForbidden) this.#reportRbac(error);
    else this.#options.log.error(`${describeRef(ref)} does not get the finalizer: ${error.message}`, aboutObject(ref));
    return "forbidden";
  }

  async #remove(release: Release, signal: AbortSignal): Promise<void> {
    const { client, name, clock, log } = this.#options;
    const { ref } = release;
    const key = keyOf(ref);
    if (this.#releases.get(key) !== release) return;
    try {
      await removeFinalizer(client, ref, name, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError && error.status === 404)) return this.#retry(release, error);
    }
    if (this.#releases.get(key) === release) this.#releases.delete(key);
    this.#resumeAt = clock.now();
    this.#allowed();
    if (release.backoff.failures > 0) {
      log.info(`${describeRef(ref)} does not carry the finalizer any more`, aboutObject(ref));
    }
  }

  #retry(release: Release, error: unknown): void {
    const { clock, log, retries = true } = this.#options;
    const delay = release.backoff.next(error instanceof ApiError ? error.retryAfter : 0);
    release.dueAt = clock.now() + delay * 1000;
    if (isTransient(error)) this.#resumeAt = release.dueAt;
    if (error instanceof ApiError && error.isForbidden) this.#reportRbac(error);
    const message =
      `${describeRef(release.ref)} still carries the finalizer and cannot be deleted until it is removed: ` +
      `${messageOf(error)}${retries ? `; retrying in ${delay.toFixed(1)} s` : ""}`;
    if (release.backoff.failures === 1) log.warn(message, aboutObject(release.ref));
    else log.debug(message, aboutObject(release.ref));
  }

  #reportRbac(error: ApiError): void {
    const { log } = this.#options;
    const message =
      `Not allowed to set finalizers: ${error.message}. Give the service account the verbs get and patch ` +
      "on configmaps and secrets by RBAC, or set FINALIZERS=false. Files are still written";
    if (this.#hasReportedRbac) log.debug(message);
    else log.error(message);
    this.#hasReportedRbac = true;
  }

  #allowed(): void {
    if (this.#hasReportedRbac) this.#options.log.info("Finalizers can be set again");
    this.#hasReportedRbac = false;
  }

  /** Runs the action after the earlier ones for the same object. */
  async #inTurn<T>(ref: ObjectRef, action: () => Promise<T>): Promise<T> {
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

/** Whether the object has changed: another one has its name, or it is being deleted. Servers answer 409 or 422. */
function isContested(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 422);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
