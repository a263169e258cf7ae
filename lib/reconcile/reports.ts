/** Reports what happens to the files of an object, in the log and as file events. Each problem is reported once. */
import type { Collision } from "../files/claims.ts";
import type { Journal } from "../files/journal.ts";
import type { Projection } from "../files/projection.ts";
import { messageOf } from "../runtime/message_of.ts";
import { given } from "../runtime/given.ts";
import { aboutObject, describeRef } from "../objects/ref.ts";
import type { Log } from "../log/log.ts";
import { aboutFiles, type FileEvent, moreFiles, summaryOf } from "./file_event.ts";
import type { PublishError } from "../files/publish_error.ts";
import type { TrackedObject } from "./tracked_object.ts";

export interface ReportsOptions {
  journal: Pick<Journal, "files" | "ownerOf">;
  onEvent(event: FileEvent): void;
  /** `false` with METHOD=LIST. */
  retries?: boolean | undefined;
  /** An attempt to write files of an object failed. */
  onDiskError?: ((error: PublishError) => void) | undefined;
  log: Pick<Log, "info" | "warn" | "error">;
}

/** Refusals of one object that get a line each. */
const MAX_REFUSALS = 10;

export class Reports {
  readonly #options: ReportsOptions;
  /** Paths that were refused because of symlinks on the disk, with the reason. */
  readonly #refusedPaths = new Map<string, string>();

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Paths that lead out of the allowed folders. */
  get refusedPaths(): Iterable<string> {
    return this.#refusedPaths.keys();
  }

  /** Those paths, with the reason. */
  get pathRefusals(): ReadonlyMap<string, string> {
    return this.#refusedPaths;
  }

  written(object: TrackedObject, paths: string[]): void {
    this.#options.log.info(`${describeRef(object)}: wrote ${summaryOf(paths)}`, {
      ...aboutObject(object),
      ...aboutFiles(paths),
    });
    this.#options.onEvent({ type: "written", ref: object, uid: object.uid, paths });
  }

  /** Keys of the object that cannot become files, up to {@link MAX_REFUSALS}, or why the whole object cannot. */
  refusals(object: TrackedObject, { files, refusals, isRefused }: Projection): void {
    const more = refusals.length - MAX_REFUSALS;
    if (more > 0) this.#refused(object, `${more} more keys, of ${refusals.length} that cannot become files`);
    for (const reason of refusals.slice(0, MAX_REFUSALS)) {
      const file = files.find(({ content }) => "broken" in content && content.broken === reason);
      const isKept = isRefused
        ? [...this.#options.journal.files()].some(([, { owner }]) => owner === object.key)
        : file !== undefined && this.#options.journal.ownerOf(file.path) === object.key;
      const kept = isRefused ? "its last accepted files stay" : "its last accepted file stays";
      this.#refused(object, isKept ? `${reason}; ${kept}` : reason, file?.path);
    }
  }

  #refused(object: TrackedObject, reason: string, path?: string): void {
    this.#options.log.error(`${describeRef(object)} refused: ${reason}`, {
      ...aboutObject(object),
      ...given("path", path),
    });
    this.#options.onEvent({ type: "refused", ref: object, uid: object.uid, reason });
  }

  /**
   * Paths of an object lead out of the allowed folders, for one reason. Reported once until `clearRefusal`, although every
   * list finds them again.
   */
  pathsRefused(object: TrackedObject, paths: readonly string[], reason: string): void {
    const news = paths.filter((path) => this.#refusedPaths.get(path) !== reason);
    for (const path of news) this.#refusedPaths.set(path, reason);
    if (news.length > 0) this.#refused(object, reason, news[0]);
  }

  /** Nothing of the object is refused any more. */
  noLongerRefused(object: TrackedObject): void {
    this.#options.log.info(`${describeRef(object)} is no longer refused`, aboutObject(object));
  }

  /** A path is no longer refused, or no object claims it any more. */
  clearRefusal(path: string): void {
    this.#refusedPaths.delete(path);
  }

  /** Objects began to claim the same paths, or lost some to paths above or below: one line for each pair of them. */
  collided(collisions: readonly Collision<TrackedObject>[]): void {
    const byPair = new Map<string, Collision<TrackedObject>[]>();
    for (const collision of collisions) {
      const { winner, loser, blocker } = collision;
      const pair = `${winner.key} ${loser.key} ${blocker === undefined}`;
      const known = byPair.get(pair);
      if (known === undefined) byPair.set(pair, [collision]);
      else known.push(collision);
    }
    for (const [first, ...others] of byPair.values()) {
      if (first !== undefined) this.#collided(first, others.length);
    }
  }

  #collided({ path, winner, loser, blocker, collections }: Collision<TrackedObject>, more: number): void {
    const age = winner.created < loser.created ? "oldest" : "newest";
    const reason = winner.created === loser.created
      ? "the first by namespace, name and kind, as both were created at the same time (COLLISIONS decides by age"
      : `the ${age === "oldest" ? "older" : "newer"} one (COLLISIONS=${age}`;
    const those = `${path}${moreFiles(more)}`;
    const [isOne, has] = more === 0 ? ["is", "has it"] : ["are", "has them"];
    const winnerName = nameIn(collections?.winner, winner);
    const loserName = nameIn(collections?.loser, loser);
    const line = blocker === undefined
      ? `${those} ${isOne} claimed by ${winnerName} and ${loserName}: ${winnerName} ${has}, ${reason}; ` +
        "UNIQUE_FILENAMES=true gives each object its own file)"
      : `${those} of ${loserName} ${isOne} not written: ${winnerName}, ${reason}), has ${blocker}, and a ` +
        "path cannot be a file and a folder";
    this.#options.log.warn(line, { ...aboutObject(loser), path });
    this.#options.onEvent({
      ...{ type: "collided", ref: loser, uid: loser.uid, winner, path, more },
      ...given("blocker", blocker),
    });
  }

  /** @param before the failure that was logged last */
  failed(object: TrackedObject, error: PublishError, before: Error | undefined): void {
    this.#options.onDiskError?.(error);
    if (before?.message === error.message) return;
    const { log, retries = true } = this.#options;
    const next = !retries ? "" : error.isObstructed ? "; waiting until that changes" : "; trying again";
    log.error(`${describeRef(object)}: ${error.message}${next}`, {
      ...aboutObject(object),
      ...given("path", error.path),
    });
    this.#options.onEvent({ type: "failed", ref: object, uid: object.uid, reason: error.message });
  }

  /** After failures, the files of the object are on disk as it wants them. */
  recovered(object: TrackedObject): void {
    this.#options.log.info(`${describeRef(object)}: all its files are in place again`, aboutObject(object));
  }

  /** @param before the failure that was logged last */
  unreadable(object: TrackedObject, error: Error, before: Error | undefined): void {
    if (before?.message === error.message) return;
    const { log, retries = true } = this.#options;
    const reason = messageOf(error.cause);
    log.warn(
      `cannot read ${describeRef(object)} again: ${reason}${retries ? "; trying again" : ""}`,
      aboutObject(object),
    );
  }
}

function nameIn(collection: string | undefined, object: TrackedObject): string {
  return collection === undefined ? describeRef(object) : `${describeRef(object)} of collection ${collection}`;
}
