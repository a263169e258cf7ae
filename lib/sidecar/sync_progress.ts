/** How far one collection's files are what its selection says: what is lacking, and how METHOD=LIST ended. */
import type { Selection } from "../config/config.ts";
import type { DownloadScheduler } from "../downloads/scheduler.ts";
import type { DownloadAllowance } from "./download_allowance.ts";
import type { Journal } from "../files/journal.ts";
import { PublishError } from "../files/publish_error.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";
import { describeMissing } from "./describe_selection.ts";
import type { Followers } from "./followers.ts";
import type { SelectedNamespaces } from "./selected_namespaces.ts";

/** How METHOD=LIST ended. */
export interface ListOutcome {
  /** Why a source could not be listed, or an object not be read. */
  apiFailures: string[];
  /** Why the disk could not be written. */
  fileFailures: string[];
  /** Number of files of ours on disk. */
  files: number;
  /** Number of objects that are not on disk as they are by their own fault. */
  refused: number;
}

export interface SyncProgressOptions {
  selection: Selection;
  namespaces: Pick<SelectedNamespaces, "source" | "isKnown">;
  followers: Pick<Followers, "describe">;
  journal: Pick<Journal, "files">;
  reconciler: Pick<Reconciler, "unlisted" | "outcome" | "objects">;
  downloads: Pick<DownloadScheduler, "awaited" | "unpacking" | "failed" | "refused" | "diskFaults">;
  /** How long the first sync waits for downloads. */
  allowance: Pick<DownloadAllowance, "isOver">;
}

export class SyncProgress {
  readonly #options: SyncProgressOptions;

  constructor(options: SyncProgressOptions) {
    this.#options = options;
  }

  /** What the first sync lacks, in one line: namespaces, a source, files, or downloads. `undefined`: nothing. */
  lacks(): string | undefined {
    const { namespaces, followers, reconciler, downloads, allowance } = this.#options;
    if (namespaces.source !== undefined && !namespaces.isKnown) return followers.describe(namespaces.source);
    const [source] = reconciler.unlisted;
    if (source !== undefined) return followers.describe(source);
    const { outcome } = reconciler;
    if (!outcome.isSettled) return outcome.failures[0]?.message ?? "files are being written";
    const [archive] = downloads.unpacking;
    if (archive !== undefined) return `waiting for the content of ${archive}`;
    const [download] = downloads.awaited;
    if (download !== undefined && !allowance.isOver()) return `waiting for the content of ${download}`;
    const [diskFault] = downloads.diskFaults.values();
    return diskFault;
  }

  /** @param unlisted why sources could not be listed */
  listOutcome(unlisted: readonly string[]): ListOutcome {
    const { reconciler: { outcome }, downloads: { awaited, failed, refused, diskFaults } } = this.#options;
    const ofDisk = outcome.failures.filter((error) => error instanceof PublishError);
    const ofApi = outcome.failures.filter((error) => !(error instanceof PublishError));
    return {
      apiFailures: [...unlisted, ...ofApi.map(({ message }) => message)],
      fileFailures: [...ofDisk.map(({ message }) => message), ...diskFaults.values()],
      files: [...this.#options.journal.files()].length,
      refused: outcome.countRefused([...refused, ...awaited, ...[...failed].filter((path) => !diskFaults.has(path))]),
    };
  }

  /** What is selected and not there, a line each. */
  missing(): string[] {
    const { selection, reconciler: { outcome, objects } } = this.#options;
    return describeMissing(selection, (item) => outcome.has(item), objects);
  }
}
