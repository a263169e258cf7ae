/** How METHOD=LIST ended for one collection. */
import type { DownloadScheduler } from "../../downloads/scheduler.ts";
import type { Journal } from "../../files/journal.ts";
import { PublishError } from "../../files/publish_error.ts";
import type { Reconciler } from "../../reconcile/reconciler.ts";

export interface ListOutcome {
  /** The name of the collection. */
  collection?: string;
  /** Reasons why a source could not be listed or an object not be read. */
  apiFailures: string[];
  /** Reasons why a file could not be written. */
  fileFailures: string[];
  /** Number of files of ours on disk. */
  files: number;
  /** Number of objects that were refused, in whole or in part. */
  refused: number;
}

export interface ListedParts {
  journal: Pick<Journal, "files">;
  reconciler: Pick<Reconciler, "outcome">;
  downloads: Pick<DownloadScheduler, "awaited" | "failed" | "refused" | "diskFaults">;
  /** Why the folder cannot be made; `undefined`: it is there. */
  folderFault?: string | undefined;
}

/** @param unlisted why sources could not be listed */
export function listOutcome(
  { journal, reconciler, downloads, folderFault }: ListedParts,
  unlisted: readonly string[],
): ListOutcome {
  const { outcome } = reconciler;
  const { awaited, failed, refused, diskFaults } = downloads;
  const ofDisk = outcome.failures.filter((error) => error instanceof PublishError);
  const ofApi = outcome.failures.filter((error) => !(error instanceof PublishError));
  const ofFolder = ofDisk.length > 0 || folderFault === undefined ? [] : [folderFault];
  return {
    apiFailures: [...unlisted, ...ofApi.map(({ message }) => message)],
    fileFailures: [...ofDisk.map(({ message }) => message), ...diskFaults.values(), ...ofFolder],
    files: [...journal.files()].length,
    refused: outcome.countRefused([...refused, ...awaited, ...[...failed].filter((path) => !diskFaults.has(path))]),
  };
}
