import { type Claimant, compareClaimants, type Precedence } from "./claimant.ts";
import { given } from "../runtime/given.ts";
import { PathConflicts } from "./path_conflicts.ts";
import { parentOf } from "./paths.ts";

export interface ClaimsChange<T extends Claimant = Claimant> {
  /** Paths that the object is the winner of now. */
  won: Set<string>;
  /** Paths that had a winner, and have none any more. */
  freed: string[];
  /** Paths that another object is the winner of now, with its key. */
  inherited: { path: string; heir: string }[];
  /** Paths that the object began to claim and others claim too, and those of any object that lost to a path above or below. */
  collisions: Collision<T>[];
}

export interface Collision<T extends Claimant = Claimant> {
  path: string;
  winner: T;
  loser: T;
  /** The winner's path above or below `path`. Without it, both claim the same path. */
  blocker?: string;
  /** If they are of different collections: the names of these. */
  collections?: { winner: string; loser: string };
}

/** The claims of objects, as those who follow them see them. */
export type ObjectClaims<T extends Claimant> = Pick<
  Claims<T>,
  "get" | "objects" | "objectCount" | "size" | "contested" | "lost" | "winnerOf" | "isClaimedBy" | "set" | "delete"
>;

/**
 * Decides which object wins a path that several claim: the oldest or the newest by `creationTimestamp`, then the first by
 * namespace, name and kind. A path cannot be a file and a directory, so an object does not win a path if another one that comes
 * first wins a path above or below it. The same calls in any order lead to the same winners. No disk and no API is involved.
 */
export class Claims<T extends Claimant = Claimant> {
  readonly #precedence: Precedence;
  readonly #objects = new Map<string, T>();
  /** Claimants of each path, the first one first. Most paths have one, which is stored without an array. */
  readonly #paths = new Map<string, T | T[]>();
  readonly #conflicts: PathConflicts<T>;

  constructor(precedence: Precedence) {
    this.#precedence = precedence;
    this.#conflicts = new PathConflicts({
      precedence,
      firstOf: (path) => this.#firstOf(path),
      get: (key) => this.get(key),
    });
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  objects(): IterableIterator<T> {
    return this.#objects.values();
  }

  get objectCount(): number {
    return this.#objects.size;
  }

  /** Number of paths that have a winner. */
  get size(): number {
    return this.#paths.size - this.#conflicts.size;
  }

  /** Number of paths that several objects claim, and of those that lose to a path above or below. */
  get contested(): number {
    let count = this.#conflicts.size;
    for (const claimants of this.#paths.values()) if (Array.isArray(claimants)) count++;
    return count;
  }

  /** Every claim that is lost, with its winner. Takes time proportional to the paths. */
  *lost(): Generator<Collision<T>, void> {
    const hasBlocked = this.#conflicts.size > 0;
    for (const [path, claimants] of this.#paths) {
      const blocker = hasBlocked ? this.#conflicts.blockerOf(path) : undefined;
      if (blocker === undefined && !Array.isArray(claimants)) continue;
      const winner = this.#firstOf(blocker ?? path);
      if (winner === undefined) continue;
      for (const loser of this.#claimantsOf(path)) {
        if (loser !== winner) yield { path, winner, loser, ...given("blocker", blocker) };
      }
    }
  }

  winnerOf(path: string): T | undefined {
    return this.#conflicts.blockerOf(path) === undefined ? this.#firstOf(path) : undefined;
  }

  /** Whether the object may get the path: it claims it, and no path above or below is in its way. */
  isClaimedBy(path: string, key: string): boolean {
    if (this.#conflicts.blockerOf(path) !== undefined) return false;
    return this.#claimantsOf(path).some((claimant) => claimant.key === key);
  }

  /** The objects that claim a path, or one above or below it. One may come twice. */
  *claimantsAround(path: string): Generator<T, void> {
    yield* this.#claimantsOf(path);
    for (let at = path; at !== "/";) {
      at = parentOf(at);
      yield* this.#claimantsOf(at);
    }
    yield* this.#conflicts.claimantsBelow(path);
  }

  /** Replaces the claims of an object. */
  set(next: T): ClaimsChange<T> {
    return this.#replace(next.key, next);
  }

  delete(key: string): ClaimsChange<T> {
    return this.#replace(key, undefined);
  }

  #replace(key: string, next: T | undefined): ClaimsChange<T> {
    const before = this.#objects.get(key);
    const wanted = new Set(next?.paths);
    const had = new Set(before?.paths);
    if (next === undefined) this.#objects.delete(key);
    else this.#objects.set(key, next);
    this.#conflicts.replace(key, before?.paths ?? [], next?.paths ?? []);
    const mayConflict = this.#conflicts.finder();
    const change: ClaimsChange<T> = { won: new Set(), freed: [], inherited: [], collisions: [] };
    const winners = new Map<string, T | undefined>();
    for (const paths of [wanted, had]) {
      for (const path of paths) {
        if (paths === had && wanted.has(path)) continue;
        const present = this.#paths.get(path);
        const isContested = (present !== undefined && present !== before) || mayConflict(path);
        if (isContested) winners.set(path, this.winnerOf(path));
        else if (next !== undefined && paths === wanted) {
          this.#paths.set(path, next);
          change.won.add(path);
        } else if (this.#paths.delete(path)) change.freed.push(path);
      }
    }
    if (winners.size > 0) this.#contest(key, next, winners, had, change);
    return change;
  }

  /**
   * Decides about the paths of an object that others want, too, or that may be above or below those of others.
   *
   * @param winners of each of these paths, before the change
   * @param had all paths that the object claimed before
   */
  #contest(
    key: string,
    next: T | undefined,
    winners: ReadonlyMap<string, T | undefined>,
    had: ReadonlySet<string>,
    change: ClaimsChange<T>,
  ): void {
    const wanted = new Set(next?.paths);
    const changed: string[] = [];
    for (const path of winners.keys()) {
      const first = this.#firstOf(path);
      if (had.has(path)) this.#leave(path, key);
      if (next !== undefined && wanted.has(path)) this.#join(path, next);
      const now = this.#firstOf(path);
      if (first?.key !== now?.key || first?.created !== now?.created) changed.push(path);
    }
    const switched = this.#conflicts.settle(changed);
    for (const [path, before] of winners) {
      const winner = this.winnerOf(path);
      if (winner === undefined && before !== undefined) change.freed.push(path);
      else if (winner !== undefined && winner === next) change.won.add(path);
      else if (winner !== undefined && winner.key !== before?.key) change.inherited.push({ path, heir: winner.key });
      if (next !== undefined && wanted.has(path) && !had.has(path)) this.#addCollision(path, next, change);
    }
    for (const [path, isBlocked] of switched) {
      const first = this.#firstOf(path);
      if (first === undefined) continue;
      const loser = winners.has(path) ? this.#objects.get(winners.get(path)?.key ?? "") : first;
      const isLoss = isBlocked && loser !== undefined && this.#claimantsOf(path).includes(loser);
      if (isLoss) this.#addCollision(path, loser, change);
      if (winners.has(path)) continue;
      if (isBlocked) change.freed.push(path);
      else change.inherited.push({ path, heir: first.key });
    }
  }

  /** Adds what an object and a rival both want, if there is a rival. */
  #addCollision(path: string, claimant: T, { collisions }: ClaimsChange<T>): void {
    const blocker = this.#conflicts.blockerOf(path);
    const [first, second] = this.#claimantsOf(path);
    const winner = blocker === undefined ? first : this.#firstOf(blocker);
    const loser = winner === claimant && blocker === undefined ? second : claimant;
    if (winner === undefined || loser === undefined || winner === loser) return;
    collisions.push({ path, winner, loser, ...given("blocker", blocker) });
  }

  /** The first of the objects that claim exactly this path. */
  #firstOf(path: string): T | undefined {
    const claimants = this.#paths.get(path);
    return Array.isArray(claimants) ? claimants[0] : claimants;
  }

  #claimantsOf(path: string): readonly T[] {
    const claimants = this.#paths.get(path) ?? [];
    return Array.isArray(claimants) ? claimants : [claimants];
  }

  #join(path: string, claimant: T): void {
    const present = this.#paths.get(path);
    if (present === undefined) return void this.#paths.set(path, claimant);
    const claimants = Array.isArray(present) ? present : [present];
    const at = claimants.findIndex((other) => compareClaimants(claimant, other, this.#precedence) < 0);
    claimants.splice(at < 0 ? claimants.length : at, 0, claimant);
    this.#paths.set(path, claimants);
  }

  #leave(path: string, key: string): void {
    const rest = this.#claimantsOf(path).filter((claimant) => claimant.key !== key);
    const [heir] = rest;
    if (heir === undefined) this.#paths.delete(path);
    else this.#paths.set(path, rest.length === 1 ? heir : rest);
  }
}
