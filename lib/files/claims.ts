import type { ObjectRef } from "../objects/ref.ts";

/** An object that claims paths. */
export interface Claimant extends Readonly<ObjectRef> {
  /** Identifies the object. */
  readonly key: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The paths that it claims. */
  readonly paths: readonly string[];
}

/** COLLISIONS: which of several objects wins a path, by creation. */
export type Precedence = "oldest" | "newest";

export interface ClaimsChange<T extends Claimant = Claimant> {
  /** Paths that the object is the winner of now. */
  won: Set<string>;
  /** Paths that no object claims any more. */
  freed: string[];
  /** Paths that the object was the winner of, with the key of the winner now. */
  inherited: { path: string; heir: string }[];
  /** Paths that the object began to claim and others claim too. */
  collisions: { path: string; winner: T; loser: T }[];
}

/**
 * Decides which object wins a path that several claim: the oldest or the newest by `creationTimestamp`, then the first by
 * namespace, name and kind. The same calls in any order lead to the same winners. No disk and no API is involved.
 */
export class Claims<T extends Claimant = Claimant> {
  readonly #precedence: Precedence;
  readonly #objects = new Map<string, T>();
  /** Claimants of each path, the winner first. Most paths have one, which is stored without an array. */
  readonly #paths = new Map<string, T | T[]>();

  constructor(precedence: Precedence) {
    this.#precedence = precedence;
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

  /** Number of paths that are claimed. */
  get size(): number {
    return this.#paths.size;
  }

  /** Number of paths that several objects claim. */
  get contested(): number {
    let count = 0;
    for (const claimants of this.#paths.values()) if (Array.isArray(claimants)) count++;
    return count;
  }

  winnerOf(path: string): T | undefined {
    const claimants = this.#paths.get(path);
    return Array.isArray(claimants) ? claimants[0] : claimants;
  }

  isClaimedBy(path: string, key: string): boolean {
    const claimants = this.#paths.get(path);
    return Array.isArray(claimants) ? claimants.some((claimant) => claimant.key === key) : claimants?.key === key;
  }

  /** Replaces the claims of an object. */
  set(next: T): ClaimsChange<T> {
    const before = this.#objects.get(next.key);
    this.#objects.set(next.key, next);
    const change: ClaimsChange<T> = { won: new Set(), freed: [], inherited: [], collisions: [] };
    const wanted = new Set(next.paths);
    const had = new Set(before?.paths);
    for (const path of wanted) {
      const wasWinner = before !== undefined && this.winnerOf(path) === before;
      if (had.has(path)) this.#leave(path, next.key, undefined);
      const claimants = this.#join(path, next);
      const winner = claimants[0] ?? next;
      if (winner === next) change.won.add(path);
      else if (wasWinner) change.inherited.push({ path, heir: winner.key });
      const rival = winner === next ? claimants[1] : winner;
      if (rival === undefined || had.has(path)) continue;
      change.collisions.push({ path, winner, loser: winner === next ? rival : next });
    }
    for (const path of had) {
      if (!wanted.has(path)) this.#leave(path, next.key, change);
    }
    return change;
  }

  delete(key: string): ClaimsChange<T> {
    const change: ClaimsChange<T> = { won: new Set(), freed: [], inherited: [], collisions: [] };
    for (const path of this.#objects.get(key)?.paths ?? []) this.#leave(path, key, change);
    this.#objects.delete(key);
    return change;
  }

  #join(path: string, claimant: T): T[] {
    const present = this.#paths.get(path);
    if (present === undefined) {
      this.#paths.set(path, claimant);
      return [claimant];
    }
    const claimants = Array.isArray(present) ? present : [present];
    const at = claimants.findIndex((other) => compareClaimants(claimant, other, this.#precedence) < 0);
    claimants.splice(at < 0 ? claimants.length : at, 0, claimant);
    this.#paths.set(path, claimants);
    return claimants;
  }

  #leave(path: string, key: string, change: ClaimsChange<T> | undefined): void {
    const present = this.#paths.get(path);
    if (present === undefined) return;
    const winner = this.winnerOf(path);
    const rest = (Array.isArray(present) ? present : [present]).filter((claimant) => claimant.key !== key);
    const [heir] = rest;
    if (heir === undefined) {
      this.#paths.delete(path);
      change?.freed.push(path);
    } else {
      this.#paths.set(path, rest.length === 1 ? heir : rest);
      if (winner?.key === key) change?.inherited.push({ path, heir: heir.key });
    }
  }
}

/** Negative: `a` comes first. */
export function compareClaimants(a: Claimant, b: Claimant, precedence: Precedence): number {
  const byAge = precedence === "oldest" ? a.created - b.created : b.created - a.created;
  return byAge || compareText(a.namespace, b.namespace) || compareText(a.name, b.name) ||
    compareText(a.kind, b.kind);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
