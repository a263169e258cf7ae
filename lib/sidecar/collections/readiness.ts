/**
 * What makes a collection ready (`/readyz`, `/healthz`): its first sync is complete. The answer is computed from the
 * state of each part at every check, so no event can be missed:
 *
 * 1. with NAMESPACE_SELECTOR, the namespaces were listed
 * 2. every source was listed in full
 * 3. every file was written, other than those that no file system accepts
 * 4. every download has ended: with its content on disk, or with a failure of its server. After 10 s, it does not wait for
 *    downloads any more, so that servers that do not answer cannot keep a pod from starting
 * 5. no download failed because of the disk, and the folder is there
 *
 * A collection that was ready once stays ready: later failures do not make it unready.
 */
import type { DownloadScheduler } from "../../downloads/scheduler.ts";
import type { Reconciler } from "../../reconcile/reconciler.ts";
import type { DownloadAllowance } from "./download_allowance.ts";
import type { Followers } from "../sources/followers.ts";
import type { SelectedNamespaces } from "../sources/selected_namespaces.ts";

export interface ReadinessOptions {
  namespaces: Pick<SelectedNamespaces, "source" | "isKnown">;
  followers: Pick<Followers, "describe">;
  reconciler: { unlisted: Reconciler["unlisted"]; outcome: Pick<Reconciler["outcome"], "isSettled" | "failures"> };
  downloads: Pick<DownloadScheduler, "awaited" | "unpacking" | "diskFaults">;
  /** Why the folder cannot be made; `undefined`: it is there. */
  folderFault(): string | undefined;
  /** How long the first sync waits for downloads. */
  allowance: Pick<DownloadAllowance, "isOver">;
  /** Called once, by the first check that finds the first sync complete. */
  onReady(): void;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  #isReady = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Whether a check has found the first sync complete. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why the first sync is not complete; `undefined` once it is. Call it whenever that may have changed. */
  check(): string | undefined {
    if (this.#isReady) return undefined;
    const lacking = this.#lacks();
    if (lacking !== undefined) return `not synced yet: ${lacking}`;
    this.#isReady = true;
    this.#options.onReady();
    return undefined;
  }

  /** The first condition that is not met, in one line; `undefined`: all are. */
  #lacks(): string | undefined {
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
    return diskFault ?? this.#options.folderFault();
  }
}
