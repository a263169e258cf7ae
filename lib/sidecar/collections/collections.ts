/** Runs the collections side by side, each by itself, and replaces those whose configuration changes. */
import type { Collection } from "../../config/collection_settings.ts";
import type { ConfigFile } from "../../files/config_files.ts";
import { octal } from "../../files/file_modes.ts";
import type { RecordedCollection } from "../../files/record_format.ts";
import { redactUrl } from "../../http/transport.ts";
import type { Log } from "../../log/log.ts";
import { withProperties } from "../../log/with_properties.ts";
import { keyOf, type ObjectRef, refOf } from "../../objects/ref.ts";
import { SharedClaims } from "../../reconcile/shared_claims.ts";
import { given } from "../../runtime/given.ts";
import type { Garbage } from "../../runtime/garbage.ts";
import { whenAborted } from "../../runtime/when_aborted.ts";
import { RunningCollection } from "./collection.ts";
import type { CollectionOptions } from "./collection_parts.ts";
import { differenceOf } from "./collection_difference.ts";
import { instanceOf, placeOf } from "./collection_id.ts";
import { leftoverDisk } from "./leftover_disk.ts";
import { directoryOf, Leftovers } from "./leftovers.ts";
import { describeSelection } from "./describe_selection.ts";
import { filesNamedBy, folderOf } from "../opening/open_files.ts";
import type { ListOutcome } from "./list_outcome.ts";
import type { HeartbeatGroup, Liveness } from "../liveness.ts";

export interface CollectionsOptions
  extends Omit<CollectionOptions, "claims" | "collection" | "place" | "isAdded" | "liveness" | "onReady"> {
  liveness: Liveness;
  garbage: Pick<Garbage, "count" | "sweep">;
}

/** That of DEFAULT_FILE_MODE. */
const DEFAULT_MODE = 0o644;

/** A collection of the configuration. */
interface Slot {
  collection: Collection;
  running: RunningCollection;
  heartbeats: HeartbeatGroup;
  stop: AbortController;
  /** Resolves when it has ended; `undefined` before it runs. */
  ended?: Promise<void>;
}

export class Collections {
  readonly #options: CollectionsOptions;
  readonly #claims: SharedClaims | undefined;
  readonly #leftovers: Leftovers;
  /** By name, in the order of the configuration. */
  readonly #slots = new Map<string, Slot>();
  /** What collections name, or have named: no object may write to it. */
  readonly #namedFiles = new Map<string, ConfigFile>();
  /** Rejects when a collection fails. */
  readonly #failed = Promise.withResolvers<never>();
  #isRunning = false;
  #hasBeenReady = false;
  #instance = "";
  #isAboutToSweep = false;
  /** Where collections are about to be opened, or about to be cleaned up. */
  #coming: RecordedCollection[] = [];
  /** Those that have ended and whose files are not given to the leftovers yet. */
  #left: Slot[] = [];
  /** With finalizers: the keys of the objects that they selected, until it is known whether another collection does. */
  readonly #deselected = new Set<string>();

  /** @throws {PublishError} a folder does not exist and cannot be created */
  static async open(options: CollectionsOptions): Promise<Collections> {
    const collections = new Collections(options);
    collections.#protect(options.config.collections);
    for (const collection of options.config.collections) await collections.#open(collection);
    collections.#findLeftovers();
    await collections.#identify();
    return collections;
  }

  private constructor(options: CollectionsOptions) {
    const { finalizerGuard } = options;
    this.#options = options;
    this.#claims = options.config.configFile === undefined ? undefined : new SharedClaims();
    this.#leftovers = new Leftovers({
      ...options,
      retries: options.config.method !== "LIST",
      neighbours: () => this.running,
      disk: leftoverDisk(options),
      onReleased: finalizerGuard && ((ref) => this.#release(ref)),
      onChange: () => this.#record(),
    });
  }

  get running(): RunningCollection[] {
    return [...this.#slots.values()].map(({ running }) => running);
  }

  /** Identifies the collections ({@link instanceOf}). */
  get instance(): string {
    return this.#instance;
  }

  /** Why the first sync is not complete, in one line; `undefined` from then on, whatever is configured later. */
  notReady(): string | undefined {
    if (this.#hasBeenReady) return undefined;
    for (const [name, { running }] of this.#slots) {
      const reason = running.notReady();
      if (reason !== undefined) return this.#slots.size === 1 ? reason : `${name}: ${reason}`;
    }
    this.#hasBeenReady = true;
    return undefined;
  }

  /** METHOD=WATCH and METHOD=SLEEP: until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    for (const slot of this.#slots.values()) this.#start(slot);
    const leftovers = this.#leftovers.run(signal);
    await Promise.race([this.#failed.promise, leftovers, whenAborted(signal)]);
    this.#isRunning = false;
    for (const { stop } of this.#slots.values()) stop.abort();
    await Promise.all([leftovers, ...this.#ends()]);
  }

  /** METHOD=LIST: lists and writes everything once. */
  async list(signal: AbortSignal): Promise<ListOutcome[]> {
    const outcomes = await Promise.all(
      this.running.map(async (running) => ({ ...await running.list(signal), collection: running.name })),
    );
    await this.#leftovers.attempt(signal);
    return outcomes;
  }

  /**
   * Continues with another configuration. A collection is known by its name: one that is unchanged is not touched, and the
   * files of one that is gone, or has another folder, are removed.
   *
   * @throws {PublishError} a folder does not exist and cannot be created
   */
  async replace(collections: readonly Collection[]): Promise<void> {
    this.#protect(collections);
    // Those that are added later notify an application that runs
    this.notReady();
    const kept = new Set<string>();
    const ending: Slot[] = [];
    for (const after of collections) {
      const slot = this.#slots.get(after.name);
      const difference = slot && differenceOf(slot.collection, after);
      if (slot === undefined || difference === "restart") continue;
      kept.add(after.name);
      if (difference === "requests") await slot.running.replaceRequests(after);
      slot.collection = after;
    }
    const added = collections.filter(({ name }) => !kept.has(name));
    // Before they have files: if the process is killed now, the next one finds them
    this.#coming = await Promise.all(added.map(placeOf));
    this.#record();
    for (const [name, slot] of this.#slots) {
      if (kept.has(name)) continue;
      slot.stop.abort();
      ending.push(slot);
    }
    await Promise.all(ending.map(async (slot) => {
      await slot.ended;
      slot.heartbeats.close();
      this.#slots.delete(slot.collection.name);
      this.#left.push(slot);
      if (this.#options.finalizerGuard === undefined) return;
      for (const key of slot.running.selected) this.#deselected.add(key);
    }));
    for (const collection of added) await this.#open(collection);
    this.#coming = [];
    for (const { running } of this.#left) this.#leftovers.add(running.place, running.belongings);
    this.#left.length = 0;
    this.#releaseDeselected();
    await this.#identify();
    this.#record();
  }

  async #open(collection: Collection): Promise<void> {
    const { name } = collection;
    const heartbeats = this.#options.liveness.group();
    const { finalizerGuard } = this.#options;
    const log = withProperties(this.#options.log, { collection: name });
    const place = await placeOf(collection);
    await this.#leftovers.giveBack(place);
    const options: CollectionOptions = {
      ...this.#options,
      claims: this.#claims,
      collection,
      place,
      isAdded: this.#hasBeenReady,
      configFiles: [...this.#options.configFiles, ...this.#namedFiles.values()],
      liveness: heartbeats,
      log,
      onReady: () => this.#onReady(),
    };
    if (finalizerGuard !== undefined) {
      options.finalizerGuard = { ...finalizerGuard, release: (ref) => this.#release(ref) };
    }
    await this.#announce(collection, log);
    const running = await RunningCollection.open(options);
    const slot = { collection, running, heartbeats, stop: new AbortController() };
    this.#slots.set(name, slot);
    if (!this.#isRunning) return;
    // Its own record must name the others before it has files: if the process is killed, they clean up after it
    this.#record();
    this.#start(slot);
  }

  #start(slot: Slot): void {
    slot.ended = slot.running.run(slot.stop.signal);
    slot.ended.catch(this.#failed.reject);
  }

  async #identify(): Promise<void> {
    const collections = [...this.#slots.values()].map(({ collection }) => collection);
    this.#instance = await instanceOf(collections, this.#options.config.configFile);
  }

  /** A collection is ready. Returns whether all are, or were. */
  #onReady(): boolean {
    this.#leftovers.check();
    this.#releaseDeselected();
    if (!this.#isAboutToSweep && this.running.every(({ isReady }) => isReady)) {
      // A sweep stops everything for some 20 ms: one for all
      this.#isAboutToSweep = true;
      queueMicrotask(() => {
        this.#isAboutToSweep = false;
        this.#options.garbage.sweep();
      });
    }
    return this.notReady() === undefined;
  }

  /** Keeps what these collections name from being written to by objects of any collection. */
  #protect(collections: readonly Collection[]): void {
    const files = collections.flatMap(filesNamedBy).filter(({ path }) => !this.#namedFiles.has(path));
    for (const file of files) this.#namedFiles.set(file.path, file);
    for (const running of this.running) running.protect(files);
  }

  /** Objects without files, too, which no record names. */
  #releaseDeselected(): void {
    if (!this.running.every(({ isReady }) => isReady)) return;
    for (const key of this.#deselected) this.#release(refOf(key));
    this.#deselected.clear();
  }

  /** Removes the finalizer of an object, unless another collection still has it. */
  #release(ref: ObjectRef): void {
    const key = keyOf(ref);
    if (this.#leftovers.hold(key) || this.running.some((running) => running.holds(key))) return;
    this.#options.finalizerGuard?.release(ref);
  }

  /** Collections of the last run that are not configured any more. */
  #findLeftovers(): void {
    const recorded = this.running.flatMap(({ recordedCollections }) => recordedCollections);
    // The records are written anew with each of them, and must name the others, too
    this.#coming = recorded;
    for (const place of recorded) this.#leftovers.add(place);
    this.#coming = [];
    this.#record();
  }

  /** Each record names all collections, so that those that are left can clean up after one that is removed. */
  #record(): void {
    const running = this.running;
    const known = [...running, ...this.#left.map((slot) => slot.running)].map(({ place }) => place);
    const all = [...known, ...this.#coming, ...this.#leftovers.places];
    const places = [...new Map(all.map((place) => [directoryOf(place), place])).values()];
    if (this.#options.config.configFile === undefined && places.length === 1) return;
    for (const collection of running) collection.recordCollections(places);
  }

  /** Logs what a collection selects and where its files go. No line has a query or credentials of a URL. */
  async #announce(collection: Collection, log: Log): Promise<void> {
    const { selection, files, notification: { script, webhook } } = collection;
    const isOwn = selection.namespaces === "OWN";
    const ownNamespace = isOwn ? await this.#options.client.namespace().catch(() => undefined) : undefined;
    const folder = folderOf(collection);
    const mode = files.mode === DEFAULT_MODE ? "" : ` with mode ${octal(files.mode)}`;
    const call = webhook && `${webhook.method} ${redactUrl(webhook.url).replace(/\?.*/, "")}`;
    const notified = [script?.path, call].filter((target) => target !== undefined);
    const then = notified.length === 0 ? "" : `, then ${notified.join(" and ")}`;
    log.info(`${describeSelection(selection, ownNamespace)} become files in ${folder}${mode}${then}`, {
      folder,
      ...given("script", script?.path),
      ...given("webhook", call),
    });
  }

  #ends(): Promise<void>[] {
    return [...this.#slots.values()].flatMap(({ ended }) => ended ?? []);
  }
}
