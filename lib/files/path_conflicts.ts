import { type Claimant, compareClaimants, type Precedence } from "./claimant.ts";
import { ClaimantsInOrder } from "./claimants_in_order.ts";
import { ClaimedDirectories } from "./claimed_directories.ts";
import { parentOf } from "./paths.ts";

export interface PathConflictsOptions<T extends Claimant> {
  precedence: Precedence;
  /** The first of the objects that claim exactly this path. */
  firstOf(path: string): T | undefined;
  get(key: string): T | undefined;
}

/**
 * Decides between a path and those above and below it, because a path cannot be a file and a directory. In the order of
 * their claimants, a path is blocked if another object, which comes first, has a path above or below it that is not blocked
 * itself. Paths of one object never block each other. Only paths in conflict are stored and looked at.
 */
export class PathConflicts<T extends Claimant> {
  readonly #options: PathConflictsOptions<T>;
  readonly #directories = new ClaimedDirectories();
  /** The path above or below that blocks a path. */
  readonly #blockers = new Map<string, string>();

  constructor(options: PathConflictsOptions<T>) {
    this.#options = options;
  }

  /** Number of paths that are blocked. */
  get size(): number {
    return this.#blockers.size;
  }

  /** The path that blocks a path; `undefined`: it is not blocked. */
  blockerOf(path: string): string | undefined {
    return this.#blockers.get(path);
  }

  /** The objects that claim paths below a directory. One with paths in several directories may come twice. */
  *claimantsBelow(path: string): Generator<T, void> {
    for (const key of this.#directories.keysBelow(path)) {
      const claimant = this.#options.get(key);
      if (claimant !== undefined) yield claimant;
    }
  }

  /** An object claims other paths. Call {@link settle} next. */
  replace(key: string, before: readonly string[], after: readonly string[]): void {
    const left = directoriesOf(before);
    for (const directory of directoriesOf(after)) {
      if (!left.delete(directory)) this.#directories.add(directory, key);
    }
    for (const directory of left) this.#directories.remove(directory, key);
  }

  /** Returns a function that tells whether claimed paths are above or below a path. */
  finder(): (path: string) => boolean {
    const above = this.#aboveWithCache();
    return (path) => this.#directories.has(path) || above(path).length > 0;
  }

  /**
   * Decides again after the first claimant of some paths has changed. A path affects later ones only, so each is decided once
   * when they are taken in order.
   *
   * @returns the paths that became blocked (`true`) and those that are no longer blocked (`false`)
   */
  settle(changed: Iterable<string>): Map<string, boolean> {
    const { precedence, firstOf } = this.#options;
    const pending = new ClaimantsInOrder(precedence);
    const wereBlocked = new Map<string, boolean>();
    const above = this.#aboveWithCache();
    for (const path of changed) {
      const mayConflict = this.#directories.has(path) || above(path).length > 0;
      if (mayConflict && this.#blockers.size > 0) this.#addBlockedBy(path, pending);
      const first = firstOf(path);
      if (first === undefined) this.#block(path, undefined, wereBlocked);
      else if (mayConflict || this.#blockers.has(path)) pending.add(first, path);
    }
    for (let paths = pending.take(); paths !== undefined; paths = pending.take()) {
      for (const path of paths) this.#decide(path, pending, wereBlocked, above(path));
    }
    const switched = new Map<string, boolean>();
    for (const [path, wasBlocked] of wereBlocked) {
      const isBlocked = this.#blockers.has(path);
      if (isBlocked !== wasBlocked) switched.set(path, isBlocked);
    }
    return switched;
  }

  #decide(
    path: string,
    pending: ClaimantsInOrder,
    wereBlocked: Map<string, boolean>,
    above: readonly string[],
  ): void {
    const first = this.#options.firstOf(path);
    if (first === undefined) return;
    const blocker = this.#findBlocker(path, first, above);
    const wasBlocked = this.#blockers.has(path);
    this.#block(path, blocker, wereBlocked);
    if (blocker === undefined) this.#addLater(path, first, pending, above);
    else if (!wasBlocked) this.#addBlockedBy(path, pending);
  }

  #block(path: string, blocker: string | undefined, wereBlocked: Map<string, boolean>): void {
    if (!wereBlocked.has(path)) wereBlocked.set(path, this.#blockers.has(path));
    if (blocker === undefined) this.#blockers.delete(path);
    else this.#blockers.set(path, blocker);
  }

  /** A path above or below that has an earlier winner. */
  #findBlocker(path: string, first: T, above: readonly string[]): string | undefined {
    for (const other of above) {
      const rival = this.#winnerOf(other);
      if (rival !== undefined && this.#isBefore(rival, first)) return other;
    }
    for (const rival of this.claimantsBelow(path)) {
      if (!this.#isBefore(rival, first)) continue;
      for (const other of pathsBelow(path, rival)) {
        if (this.#winnerOf(other) === rival) return other;
      }
    }
    return undefined;
  }

  /** Adds the paths above and below that have a later winner, which loses them. */
  #addLater(path: string, first: T, pending: ClaimantsInOrder, above: readonly string[]): void {
    for (const other of above) {
      const rival = this.#winnerOf(other);
      if (rival !== undefined && this.#isBefore(first, rival)) pending.add(rival, other);
    }
    for (const rival of this.claimantsBelow(path)) {
      if (!this.#isBefore(first, rival)) continue;
      for (const other of pathsBelow(path, rival)) {
        if (this.#winnerOf(other) === rival) pending.add(rival, other);
      }
    }
  }

  #addBlockedBy(path: string, pending: ClaimantsInOrder): void {
    const { firstOf } = this.#options;
    const add = (other: string) => {
      const first = this.#blockers.get(other) === path ? firstOf(other) : undefined;
      if (first !== undefined) pending.add(first, other);
    };
    for (const other of this.#claimedAbove(parentOf(path))) add(other);
    for (const claimant of this.claimantsBelow(path)) {
      for (const other of pathsBelow(path, claimant)) add(other);
    }
  }

  #winnerOf(path: string): T | undefined {
    return this.#blockers.has(path) ? undefined : this.#options.firstOf(path);
  }

  /** Paths that are claimed among a directory and those above it. */
  #claimedAbove(directory: string): string[] {
    const claimed: string[] = [];
    for (let above = directory; above !== "/"; above = parentOf(above)) {
      if (this.#options.firstOf(above) !== undefined) claimed.push(above);
    }
    return claimed;
  }

  /** The claimed paths above a path. Consecutive paths mostly have the same directory. */
  #aboveWithCache(): (path: string) => readonly string[] {
    let last: string | undefined;
    let claimed: readonly string[] = [];
    return (path) => {
      const directory = directoryOf(path, last);
      if (directory !== last) claimed = this.#claimedAbove(directory);
      last = directory;
      return claimed;
    };
  }

  #isBefore(a: T, b: T): boolean {
    return compareClaimants(a, b, this.#options.precedence) < 0;
  }
}

function directoriesOf(paths: readonly string[]): Set<string> {
  const directories = new Set<string>();
  let last: string | undefined;
  for (const path of paths) {
    const directory = directoryOf(path, last);
    if (directory !== last) directories.add(directory);
    last = directory;
  }
  return directories;
}

/** The directory of a path, without a new string for each of many paths in one directory. */
function directoryOf(path: string, last: string | undefined): string {
  const isSame = last !== undefined && path.lastIndexOf("/") === last.length && path.startsWith(last);
  return isSame ? last : parentOf(path);
}

function* pathsBelow(directory: string, { paths }: Claimant): Generator<string, void> {
  const start = `${directory}/`;
  for (const path of paths) {
    if (path.startsWith(start)) yield path;
  }
}
