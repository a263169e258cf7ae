/** One running collection: follows its sources, writes its files and notifies its application. */
import { removeEmptyDirectories } from "../../files/empty_directories.ts";
import { folderFault } from "../../files/folder_probe.ts";
import type { Collection } from "../../config/collection_settings.ts";
import type { Reconciler } from "../../reconcile/reconciler.ts";
import { given } from "../../runtime/given.ts";
import type { FileEvent } from "../../reconcile/file_event.ts";
import { settleDownloads } from "./settle_downloads.ts";
import { canonicalName } from "../../files/canonical_names.ts";
import type { ConfigFile } from "../../files/config_files.ts";
import type { RecordedCollection } from "../../files/record_format.ts";
import { type Belongings, inherit, type Neighbour } from "./leftovers.ts";
import { checkDiskPeriodically } from "./periodic_disk_check.ts";
import { describeNamed, describeSelection } from "./describe_selection.ts";
import { type ListOutcome, listOutcome } from "./list_outcome.ts";
import { type CollectionOptions, type CollectionParts, openParts } from "./collection_parts.ts";

/** What `/status` is made from: only to be read. */
export interface CollectionInner
  extends
    Pick<Reconciler["inner"], "claims" | "refusals" | "reports" | "queue">,
    Pick<CollectionParts, "journal" | "downloads" | "notifications" | "told" | "followers">,
    Pick<Reconciler, "outcome" | "objects"> {
  collection: Collection;
  /** Times by the clock, in ms. */
  openedAt: number;
  readyAt?: number;
  /** When a file was written or removed last. */
  changedAt?: number;
}

export class RunningCollection implements Neighbour {
  readonly #options: CollectionOptions;
  readonly #parts: CollectionParts;
  /** METHOD=LIST: the whole run counts as the first sync. */
  #isListing = false;
  #isEnding = false;
  /** Times by the clock, in ms. */
  readonly #openedAt: number;
  #readyAt: number | undefined;
  #changedAt: number | undefined;

  /**
   * Reads the journal and prepares the folder.
   *
   * @throws {PublishError} the folder does not exist and cannot be created
   */
  static async open(options: CollectionOptions): Promise<RunningCollection> {
    const parts = await openParts(options, {
      isFirstSync: () => collection.#isFirstSync,
      onEvent: (event) => collection.#onEvent(event),
      onReady: () => collection.#onReady(),
    });
    const collection = new RunningCollection(options, parts);
    return collection;
  }

  private constructor(options: CollectionOptions, parts: CollectionParts) {
    this.#options = options;
    this.#parts = parts;
    this.#openedAt = options.clock.now();
  }

  get inner(): CollectionInner {
    const { journal, downloads, notifications, told, followers, reconciler } = this.#parts;
    const { outcome, objects, inner: { claims, refusals, reports, queue } } = reconciler;
    return {
      ...{ journal, downloads, notifications, told, followers, outcome, objects },
      ...{ claims, refusals, reports, queue },
      collection: this.#options.collection,
      openedAt: this.#openedAt,
      ...given("readyAt", this.#readyAt),
      ...given("changedAt", this.#changedAt),
    };
  }

  get name(): string {
    return this.#options.collection.name;
  }

  get place(): RecordedCollection {
    return this.#options.place;
  }

  get folders(): readonly string[] {
    return this.#parts.folders;
  }

  get belongings(): Belongings {
    return this.#parts;
  }

  get isReady(): boolean {
    return this.#parts.readiness.check() === undefined;
  }

  /** Whether the file at a path is one of this collection's. */
  owns(path: string): boolean {
    const { journal, publisher } = this.#parts;
    return journal.ownerOf(canonicalName(path, publisher)) !== undefined;
  }

  inherit(directory: string): void {
    inherit(this.#parts, canonicalName(directory, this.#parts.publisher));
  }

  removeEmptyDirectories(): void {
    removeEmptyDirectories(this.#parts);
  }

  /** From now on, no object writes to these files, either. */
  protect(files: readonly ConfigFile[]): void {
    this.#parts.publisher.protect(files);
  }

  /** The keys of the objects that it selects, with files or without. */
  get selected(): string[] {
    const { reconciler } = this.#parts;
    return [...reconciler.inner.claims.objects()].map(({ key }) => key).filter((key) => reconciler.selects(key));
  }

  /** Whether it selects an object, or has files with its content. */
  holds(key: string): boolean {
    return this.#parts.reconciler.selects(key) ||
      [...this.#parts.journal.files()].some(([, { owner }]) => owner === key);
  }

  /** The collections of the process that wrote the record last. */
  get recordedCollections(): readonly RecordedCollection[] {
    return this.#parts.journal.collections;
  }

  recordCollections(places: readonly RecordedCollection[]): void {
    this.#parts.journal.recordCollections(places);
  }

  get objects(): number {
    return this.#parts.reconciler.objects;
  }

  get files(): number {
    return this.#parts.reconciler.files;
  }

  get isNotificationPending(): boolean {
    return this.#parts.notifications.isPending;
  }

  /** Why the first sync is not complete, in one line; `undefined` once it is. */
  notReady(): string | undefined {
    return this.#parts.readiness.check();
  }

  /** METHOD=WATCH and METHOD=SLEEP: until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // If NAMESPACE_EXCLUDE leaves no source, the collection is ready at once
    this.#parts.readiness.check();
    await Promise.all([
      this.#parts.followers.run(signal),
      this.#parts.debounce.run(signal),
      this.#parts.reconciler.run(signal),
      this.#checkDisk(signal),
      this.#parts.notifications.run(signal),
    ]);
    // Closed downloads are no longer waited for, which does not make it ready
    this.#isEnding = true;
    this.#parts.allowance.close();
    await this.#parts.downloads.close();
    this.#parts.reconciler.leave();
    this.#parts.measurements.end();
  }

  /** Continues with other settings of its notifications and requests. */
  async replaceRequests(collection: Collection): Promise<void> {
    this.#parts.fetcher.replace({ collection, transport: this.#options.transports.of(collection.requests).downloads });
    await this.#parts.notifications.replace(collection);
  }

  /** METHOD=LIST: lists every source, writes every file and notifies the application, once. */
  async list(signal: AbortSignal): Promise<ListOutcome> {
    this.#isListing = true;
    const unlisted = await this.#parts.followers.list(signal);
    await this.#parts.reconciler.settle(signal);
    this.#parts.allowance.close();
    const { collection: { requests }, clock, log } = this.#options;
    const options = {
      downloads: this.#parts.downloads,
      changes: this.#parts.changes,
      seconds: requests.urlTimeout,
      clock,
      log,
    };
    await settleDownloads(options, signal);
    const parts = {
      journal: this.#parts.journal,
      reconciler: this.#parts.reconciler,
      downloads: this.#parts.downloads,
      folderFault: folderFault(this.place.folder),
    };
    const outcome = listOutcome(parts, unlisted);
    if (unlisted.length === 0 && !signal.aborted) this.#warnOfMissing();
    await this.#parts.downloads.close();
    await this.#parts.notifications.flush(signal);
    return outcome;
  }

  async #checkDisk(signal: AbortSignal): Promise<void> {
    const { config, liveness, clock, log } = this.#options;
    await checkDiskPeriodically({
      diskCheck: this.#parts.diskCheck,
      period: config.watch.checkPeriod,
      heal: (path) => this.#parts.reconciler.disk.heal(path),
      heartbeat: liveness.heartbeat("the disk check"),
      clock,
      log,
    }, signal);
  }

  #warnOfMissing(): void {
    const { collection: { selection }, log } = this.#options;
    const { outcome, objects } = this.#parts.reconciler;
    if (selection.names.length === 0 && objects === 0) {
      log.warn(
        `nothing is selected: there are no ${describeSelection(selection)}. Check the spelling of the label, the ` +
          "namespaces and the kinds. `k8s-sidecar explain NAMESPACE/KIND/NAME` tells why an object is not selected",
      );
    }
    for (const item of selection.names) {
      if (!outcome.has(item)) log.warn(`RESOURCE_NAME: there is no ${describeNamed(item, selection)}`);
    }
  }

  #onReady(): void {
    if (this.#isEnding) return;
    this.#readyAt = this.#options.clock.now();
    this.#parts.allowance.close();
    removeEmptyDirectories(this.#parts);
    if (this.#isListing) return;
    const { clock, log } = this.#options;
    const seconds = Math.round(clock.now() - this.#openedAt) / 1000;
    const properties = { objects: this.objects, files: this.files, seconds };
    if (this.#options.onReady()) log.info("Initial sync complete, sidecar is ready.", properties);
    else log.info("Initial sync complete; other collections are not ready yet.", properties);
    this.#warnOfMissing();
  }

  get #isFirstSync(): boolean {
    return this.#isListing || (!this.#options.isAdded && !this.#parts.readiness.isReady);
  }

  #onEvent(event: FileEvent): void {
    this.#parts.measurements.fileEvent(event);
    this.#options.eventPoster?.post(event);
    if (event.type !== "written" && event.type !== "removed") return;
    this.#changedAt = this.#options.clock.now();
    this.#parts.notifications.changed(event.paths, { isFirstSync: this.#isFirstSync });
  }
}
