/** Why a file would be made, changed or removed, in words. */
import type { PlannedFile } from "../files/dry_publisher.ts";
import { nameOf } from "../files/paths.ts";
import { refOf } from "../objects/ref.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { shownKey } from "./shown_object.ts";
import { reasonsBySettings, type Sighting, whyNotSelected } from "./why_not_selected.ts";

/** Objects that are looked up to tell why their files go. */
const MAX_LOOKUPS = 50;

export type Sight = (key: string) => Promise<Sighting>;

/** The reasons of one collection's changes. */
export class ChangeReasons {
  readonly #collection: PlannedCollection;
  readonly #sight: Sight;
  readonly #owners: ReadonlySet<string>;
  /** Recorded paths, by their owner and the key of the owner's data. */
  readonly #byKey: ReadonlyMap<string, string>;
  /** By the key of an object that is not selected any more. */
  readonly #gone = new Map<string, Promise<string>>();
  #lookups = 0;

  /** @param sight what the API server says about an object */
  constructor(collection: PlannedCollection, sight: Sight) {
    this.#collection = collection;
    this.#sight = sight;
    this.#owners = new Set(collection.recorded.values());
    this.#byKey = new Map([...collection.recorded].map(([path, owner]) => [`${owner} ${keyIn(path, owner)}`, path]));
  }

  async of(path: string, file: PlannedFile): Promise<string[]> {
    switch (file.action) {
      case "create":
        return [this.#ofNew(path, file)];
      case "change":
        return this.#ofChange(path, file);
      case "remove":
        return [await this.#ofRemoval(path, file.owner)];
      default:
        return [];
    }
  }

  #ofNew(path: string, { owner }: PlannedFile): string {
    const { recorded } = this.#collection;
    if (recorded.get(path) === owner) return "missing on the disk";
    const before = this.#byKey.get(`${owner} ${keyIn(path, owner)}`);
    const isRenamed = before !== undefined && nameOf(before) !== nameOf(path) && !this.#pathsOf(owner).includes(before);
    if (isRenamed) return `new name of ${nameOf(before)}`;
    return this.#owners.has(owner) ? "new key" : "new object";
  }

  #ofChange(path: string, { owner, differs = [], presentMode }: PlannedFile): string[] {
    const before = this.#collection.recorded.get(path);
    const reasons: string[] = [];
    if (before !== undefined && before !== owner) reasons.push(`was that of ${shownKey(before)}`);
    if (differs.includes("foreign")) reasons.push("replaces a file that is not ours");
    else if (differs.includes("entry")) reasons.push("replaces what is there, which is not a file");
    else if (differs.includes("content")) reasons.push("content differs");
    if (presentMode !== undefined) {
      const wanted = this.#collection.collection.files.mode;
      reasons.push(`mode differs: ${presentMode.toString(8)}, wanted: ${wanted.toString(8)}`);
    }
    return reasons;
  }

  async #ofRemoval(path: string, owner: string): Promise<string> {
    const { reconciler, recorded } = this.#collection;
    if (!reconciler.selects(owner)) return await this.#ofGone(owner);
    const { claims } = reconciler.inner;
    const object = claims.get(owner);
    const paths = this.#pathsOf(owner);
    for (const { path: lost, winner, loser, blocker } of claims.lost()) {
      if (lost === path && loser === object) return `lost to ${shownKey(winner.key)}, which has ${blocker ?? path}`;
    }
    const isNew = (other: string) => !recorded.has(other);
    const moved = paths.find((other) => nameOf(other) === nameOf(path) && isNew(other));
    if (moved !== undefined) return `moved to ${moved}`;
    const renamed = paths.find((other) => keyIn(other, owner) === keyIn(path, owner) && isNew(other));
    return renamed === undefined ? "key removed" : `renamed to ${nameOf(renamed)}`;
  }

  #pathsOf(owner: string): readonly string[] {
    return this.#collection.reconciler.inner.claims.get(owner)?.paths ?? [];
  }

  #ofGone(owner: string): Promise<string> {
    const known = this.#gone.get(owner) ?? this.#whyGone(owner);
    this.#gone.set(owner, known);
    return known;
  }

  async #whyGone(owner: string): Promise<string> {
    const { collection: { selection }, ownNamespace, reconciler } = this.#collection;
    const ref = refOf(owner);
    const [bySettings] = reasonsBySettings(selection, ownNamespace, ref);
    if (bySettings !== undefined) return bySettings.what;
    if (reconciler.inner.claims.get(owner) !== undefined) return "its namespace is not selected (NAMESPACE_SELECTOR)";
    if (this.#lookups++ >= MAX_LOOKUPS) return "object deleted, or no longer selected";
    try {
      const sighting = await this.#sight(owner);
      if (!sighting.exists) return "object deleted";
      const [reason] = whyNotSelected(selection, ownNamespace, ref, sighting);
      if (reason?.code === "label") return `no longer selected: ${reason.what}`;
      return reason?.what ?? "object is being deleted";
    } catch {
      return "object deleted, or no longer selected";
    }
  }
}

/** The key that a name comes from, with and without UNIQUE_FILENAMES and DECOMPRESS. */
function keyIn(path: string, owner: string): string {
  const { namespace, kind, name } = refOf(owner);
  const [file, unique] = [nameOf(path), `namespace_${namespace}.${kind.toLowerCase()}_${name}.`];
  return (file.startsWith(unique) ? file.slice(unique.length) : file).replace(/\.gz$/, "");
}
