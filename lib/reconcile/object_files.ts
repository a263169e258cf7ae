/** Publishes the files that an object wins. */
import { RefusedPathError } from "../files/allowed_folders.ts";
import type { Claims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import type { DeferredContent, WantedFile } from "../files/projection.ts";
import { PublishError } from "../files/publish_error.ts";
import type { Publisher } from "../files/publisher.ts";
import { type ObjectRef, refOf } from "../objects/ref.ts";
import type { Version } from "../objects/version.ts";
import type { Removals } from "./removals.ts";
import type { Reports } from "./reports.ts";
import type { SourceLists } from "./source_lists.ts";
import type { TrackedObject } from "./tracked_object.ts";

/** Files whose content is served elsewhere, or must be unpacked. */
export interface Downloads {
  /** Downloads this content to the path. Replaces an earlier request for the path. */
  want(path: string, content: DeferredContent, ref: ObjectRef, owner: string, version: Version): void;
  /** Cancels the download for the path, if there is one. */
  forget(path: string): void;
}

export interface ObjectFilesOptions {
  publisher: Pick<Publisher, "publish">;
  downloads: Downloads;
  journal: Pick<Journal, "ownerOf">;
  claims: Pick<Claims<TrackedObject>, "get">;
  lists: Pick<SourceLists, "know">;
  removals: Pick<Removals, "withdraw">;
  reports: Pick<Reports, "written" | "accepted" | "refusedPath">;
}

export class ObjectFiles {
  readonly #options: ObjectFilesOptions;

  constructor(options: ObjectFilesOptions) {
    this.#options = options;
  }

  /**
   * Publishes files of an object; those with a URL and archives are handed to the downloads. Where the content cannot be had, that of
   * an object which no longer claims the path goes. Returns why files that should be on disk are not.
   */
  publish(object: TrackedObject, files: readonly WantedFile[]): PublishError | undefined {
    const { publisher, downloads, removals, reports } = this.#options;
    const written: string[] = [];
    let failure: PublishError | undefined;
    for (const { path, content } of files) {
      if (this.#mustWait(path, object.key)) continue;
      if ("url" in content || "isGzip" in content) {
        downloads.want(path, content, object, object.key, object.version);
        continue;
      }
      downloads.forget(path);
      if ("broken" in content) {
        removals.withdraw(path);
        continue;
      }
      try {
        if (publisher.publish(path, content.body, object.key)) written.push(path);
        reports.accepted(path);
      } catch (error) {
        if (error instanceof RefusedPathError) reports.refusedPath(object, path, error.message);
        else if (error instanceof PublishError) failure ??= error;
        else throw error;
        removals.withdraw(path);
      }
    }
    if (written.length > 0) reports.written(object, written);
    return failure;
  }

  /**
   * Whether a path is left as an earlier run wrote it: the object that it was written for may still be listed, and win.
   * When its source has been listed, the reconciler reads the winner again.
   */
  #mustWait(path: string, key: string): boolean {
    const { journal, claims, lists } = this.#options;
    const owner = journal.ownerOf(path);
    if (owner === undefined || owner === key || claims.get(owner) !== undefined) return false;
    return !lists.know(refOf(owner));
  }
}
