/**
 * The claims of several collections whose folders may overlap: each path has one winner among the objects of all of them.
 * Before a path is handed over to another collection, the one that had it removes its file.
 */
import type { Claimant, Precedence } from "../files/claimant.ts";
import { Claims, type ClaimsChange, type Collision, type ObjectClaims } from "../files/claims.ts";
import { isInside, parentOf } from "../files/paths.ts";
import { given } from "../runtime/given.ts";
import type { TrackedObject } from "./tracked_object.ts";

/** What a collection does when others claim its paths. */
export interface ClaimsMember {
  /** Whether a file of an earlier run is at the path whose object may still be listed. */
  awaits(path: string): boolean;
  /** Another collection wins these paths, or paths above or below them. Removes its files there, if it has some. */
  lost(paths: readonly string[]): void;
  /** An object of this collection wins a path that another collection has left. */
  inherited(key: string): void;
  /** Another collection has removed a file from this directory, which may have been made here. */
  left(directory: string): void;
}

/** An object, as all collections know it. */
class Member implements Claimant {
  readonly key: string;

  constructor(readonly collection: string, readonly object: TrackedObject, readonly precedence: Precedence) {
    this.key = memberKey(collection, object.key);
  }

  get kind() {
    return this.object.kind;
  }

  get namespace(): string {
    return this.object.namespace;
  }

  get name(): string {
    return this.object.name;
  }

  get created(): number {
    return this.object.created;
  }

  get paths(): readonly string[] {
    return this.object.paths;
  }
}

/** The claims of one collection among those of others. */
export interface JoinedClaims extends ObjectClaims<TrackedObject> {
  /** Whether a path is left to another collection for now, whose object may still be listed. */
  isAwaited(path: string): boolean;
  /** Files of this collection at these paths were removed: another one may have the paths now. */
  removed(paths: readonly string[]): void;
  /** The collection has stopped. */
  leave(): void;
}

export class SharedClaims {
  // Each claimant has its own precedence
  readonly #claims = new Claims<Member>("oldest");
  readonly #members = new Map<string, ClaimsMember>();
  /** The collection whose object changes now: it will write the files that it wins. */
  #changing: string | undefined;

  /** @param name of the collection */
  join(name: string, precedence: Precedence, member: ClaimsMember): JoinedClaims {
    const claims = this.#claims;
    const objects = new Map<string, TrackedObject>();
    this.#members.set(name, member);
    const lost = () => this.#lostBy(name);
    const isForeign = (path: string) => (claims.winnerOf(path)?.collection ?? name) !== name;
    return {
      get: (key) => objects.get(key),
      objects: () => objects.values(),
      get objectCount() {
        return objects.size;
      },
      get size() {
        let size = 0;
        for (const object of objects.values()) {
          size += object.paths.filter((path) => claims.winnerOf(path)?.object === object).length;
        }
        return size;
      },
      get contested() {
        return new Set([...lost()].map(({ path }) => path)).size;
      },
      lost,
      winnerOf: (path) => isForeign(path) ? undefined : claims.winnerOf(path)?.object,
      isClaimedBy: (path, key) => !isForeign(path) && claims.isClaimedBy(path, memberKey(name, key)),
      set: (object) => {
        objects.set(object.key, object);
        const change = this.#changed(name, claims.set(new Member(name, object, precedence)));
        // An earlier run may have written files there
        member.lost(object.paths.filter(isForeign));
        return change;
      },
      delete: (key) => {
        objects.delete(key);
        return this.#changed(name, claims.delete(memberKey(name, key)));
      },
      isAwaited: (path) => this.#others(name).some((other) => other.awaits(path)),
      removed: (paths) => this.#removed(paths, name),
      leave: () => {
        this.#members.delete(name);
        for (const key of objects.keys()) this.#changed(name, claims.delete(memberKey(name, key)));
      },
    };
  }

  /** Claims that objects of a collection have lost, or that others have lost to them. */
  *#lostBy(name: string): Generator<Collision<TrackedObject>, void> {
    for (const collision of this.#claims.lost()) {
      const { winner, loser } = collision;
      const concerns = winner.collection === name || loser.collection === name;
      if (concerns && winner.object.key !== loser.object.key) yield collisionOf(collision);
    }
  }

  /** Tells the other collections, and returns what the change means for the collection that made it. */
  #changed(name: string, { won, freed, inherited, collisions }: ClaimsChange<Member>): ClaimsChange<TrackedObject> {
    const isOwn = ({ heir }: { heir: string }) => this.#claims.get(heir)?.collection === name;
    const left = inherited.filter((it) => !isOwn(it));
    const touched = [...won, ...freed, ...left.map(({ path }) => path)];
    this.#changing = name;
    for (const other of this.#others(name)) other.lost(touched);
    this.#changing = undefined;
    for (const { path } of left) this.#tellHeir(path, name);
    return {
      won,
      // A path that another collection wins is given up, as if nobody claimed it
      freed: [...freed, ...left.map(({ path }) => path)],
      inherited: inherited.filter(isOwn).map(({ path, heir }) => ({
        path,
        heir: this.#claims.get(heir)?.object.key ?? heir,
      })),
      collisions: collisions.filter(({ winner, loser }) => winner.object.key !== loser.object.key).map(collisionOf),
    };
  }

  /** Tells those whose files may have been waiting for these paths, for directories above them, or for files below. */
  #removed(paths: readonly string[], name: string): void {
    for (const directory of new Set(paths.map(parentOf))) {
      for (const other of this.#others(name)) other.left(directory);
    }
    const waiting = new Set<Member>();
    for (const path of paths) {
      this.#tellHeir(path, name);
      for (const member of this.#claims.claimantsAround(path)) {
        const isInTheWay = (other: string) =>
          other !== path && (isInside(other, path) || isInside(path, other)) && this.#claims.winnerOf(other) === member;
        if (!waiting.has(member) && member.paths.some(isInTheWay)) waiting.add(member);
      }
    }
    // Of this collection, too: the directory may be that of another one
    for (const member of waiting) this.#tell(member);
  }

  #tellHeir(path: string, name: string): void {
    const heir = this.#claims.winnerOf(path);
    if (heir !== undefined && heir.collection !== name) this.#tell(heir);
  }

  #tell({ collection, object }: Member): void {
    if (collection !== this.#changing) this.#members.get(collection)?.inherited(object.key);
  }

  #others(name: string): ClaimsMember[] {
    return [...this.#members].filter(([other]) => other !== name).map(([, member]) => member);
  }
}

function collisionOf({ path, winner, loser, blocker }: Collision<Member>): Collision<TrackedObject> {
  const collections = { winner: winner.collection, loser: loser.collection };
  return {
    path,
    winner: winner.object,
    loser: loser.object,
    ...given("blocker", blocker),
    ...given("collections", winner.collection === loser.collection ? undefined : collections),
  };
}

function memberKey(collection: string, key: string): string {
  return `${collection} ${key}`;
}
