/** Publishes the files that an object wins, those of a large object in several slices of time. */
import { RefusedPathError } from "../files/allowed_folders.ts";
import type { ObjectClaims } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import type { DeferredContent, WantedFile } from "../files/projection.ts";
import { PublishError } from "../files/publish_error.ts";
import type { Publisher } from "../files/publisher.ts";
import { type ObjectRef, refOf } from "../objects/ref.ts";
import type { Version } from "../objects/version.ts";
import type { TimeSlice } from "../runtime/time_slice.ts";
import type { InTheWay } from "./in_the_way.ts";
import type { Obstacles } from "./obstacles.ts";
import type { Removals } from "./removals.ts";
import type { Reports } from "./reports.ts";
import type { JoinedClaims } from "./shared_claims.ts";
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
  claims: Pick<ObjectClaims<TrackedObject>, "get" | "winnerOf">;
  joined: Pick<JoinedClaims, "isAwaited"> | undefined;
  lists: Pick<SourceLists, "canTell">;
  removals: Pick<Removals, "removeStaleContent">;
  obstacles: Pick<Obstacles, "add" | "forget">;
  reports: Pick<Reports, "written" | "clearRefusal" | "pathsRefused">;
  inTheWay: Pick<InTheWay, "clear">;
  slice: Pick<TimeSlice, "isOver">;
  /** The time slice was over before every file of an object was published: call {@link ObjectFiles.continue}. */
  onInterrupted(key: string): void;
}

interface Publication {
  object: TrackedObject;
  files: readonly WantedFile[];
  /** Index of the next file. */
  next: number;
  written: string[];
  /** Paths that lead out of the allowed folders, by the reason. */
  refused: Map<string, string[]>;
  failure: PublishError | undefined;
  onDone(failure: PublishError | undefined): void;
}

export class ObjectFiles {
  readonly #options: ObjectFilesOptions;
  /** By the object's key. */
  readonly #interrupted = new Map<string, Publication>();

  constructor(options: ObjectFilesOptions) {
    this.#options = options;
  }

  /**
   * Publishes files of an object; those with a URL and archives are handed to the downloads. Where the content cannot be had, that of
   * an object which no longer claims the path goes.
   *
   * @param onDone called with the reason why files that should be on disk are not; in this call, unless it is interrupted
   */
  publish(object: TrackedObject, files: readonly WantedFile[], onDone: Publication["onDone"]): void {
    this.stop(object.key);
    this.#options.obstacles.forget(object.key);
    this.#advance({ object, files, next: 0, written: [], refused: new Map(), failure: undefined, onDone });
  }

  isInterrupted(key: string): boolean {
    return this.#interrupted.has(key);
  }

  /** Publishes more files of an object, for a slice of time. */
  continue(key: string): void {
    const publication = this.#interrupted.get(key);
    if (publication !== undefined) this.#advance(publication);
  }

  /** The rest of the object's files is not published. */
  stop(key: string): void {
    const publication = this.#interrupted.get(key);
    if (publication === undefined) return;
    this.#interrupted.delete(key);
    this.#tell(publication);
  }

  #advance(publication: Publication): void {
    const { claims, slice, onInterrupted } = this.#options;
    const { object, files, onDone } = publication;
    const first = publication.next;
    for (; publication.next < files.length; publication.next++) {
      const file = files[publication.next];
      // Another object may have won the path since the last slice
      const isWon = file !== undefined && claims.winnerOf(file.path) === object;
      const isInterrupted = publication.next > first && slice.isOver;
      if (isInterrupted || (isWon && !this.#publishFile(publication, file))) {
        this.#interrupted.set(object.key, publication);
        return onInterrupted(object.key);
      }
    }
    this.#interrupted.delete(object.key);
    this.#tell(publication);
    onDone(publication.failure);
  }

  #tell({ object, written, refused }: Publication): void {
    if (written.length > 0) this.#options.reports.written(object, written);
    for (const [reason, paths] of refused) this.#options.reports.pathsRefused(object, paths, reason);
  }

  /** Of several failures, the one that is to be tried again soonest counts. */
  #failed(publication: Publication, path: string, error: PublishError): void {
    if (error.isObstructed) this.#options.obstacles.add(publication.object.key, path);
    const { failure } = publication;
    const isWorse = failure?.isImpossible === true && !error.isImpossible;
    if (failure === undefined || failure.isObstructed || isWorse) publication.failure = error;
  }

  /** Returns `false` when the time slice was over before the path was free. */
  #publishFile(publication: Publication, file: WantedFile): boolean {
    const { object } = publication;
    if (this.#mustWait(file.path, object.key)) return true;
    const way = this.#options.inTheWay.clear(file.path, object.key);
    if (way === "clear") this.#putFile(publication, file);
    return way !== "interrupted";
  }

  #putFile(publication: Publication, { path, content }: WantedFile): void {
    const { publisher, downloads, removals, reports } = this.#options;
    const { object, written, refused } = publication;
    if ("url" in content || "isGzip" in content) {
      return downloads.want(path, content, object, object.key, object.version);
    }
    downloads.forget(path);
    if ("broken" in content) return removals.removeStaleContent(path);
    try {
      if (publisher.publish(path, content.body, object.key)) written.push(path);
      reports.clearRefusal(path);
    } catch (error) {
      if (error instanceof RefusedPathError) {
        refused.set(error.message, (refused.get(error.message) ?? []).concat(path));
      } else if (error instanceof PublishError) this.#failed(publication, path, error);
      else throw error;
      removals.removeStaleContent(path);
    }
  }

  /**
   * Whether a path is left as an earlier run wrote it: the object that it was written for may still be listed, and win.
   * When its source has been listed, the reconciler reads the winner again.
   */
  #mustWait(path: string, key: string): boolean {
    const { journal, claims, joined, lists } = this.#options;
    if (joined?.isAwaited(path)) return true;
    const owner = journal.ownerOf(path);
    if (owner === undefined || owner === key || claims.get(owner) !== undefined) return false;
    return !lists.canTell(refOf(owner));
  }
}
