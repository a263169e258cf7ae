/** Objects, their versions and the history of changes: what etcd is to a real API server. In memory, without I/O. */
import type { StoredObject } from "./resources.ts";

/** One change of one object. Without `before` it was created, without `after` deleted. */
export interface Change {
  version: number;
  storage: string;
  before?: StoredObject;
  /** For a deleted object it is in `last`. */
  after?: StoredObject;
  /** What a watch shows of a deleted object: its last state with the version of the deletion. */
  last?: StoredObject;
}

/** The history does not reach back to `version` any more: watches and lists from there must start anew. */
export class CompactedError extends Error {
  override name = "CompactedError";
  constructor(readonly version: number, readonly compacted: number) {
    super(`version ${version} is older than ${compacted}, the oldest that is left`);
  }
}

export interface StoreOptions {
  /** How many changes are kept for watches to resume from; older ones are compacted. Default 1000. */
  historySize?: number;
}

/**
 * One version counter covers all objects, as in etcd. An object in the store is never changed, only replaced: callers may
 * keep and share it.
 */
export class Store {
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #history: Change[] = [];
  readonly #historySize: number;
  readonly #listeners = new Set<() => void>();
  #version = 1;
  #compacted = 1;

  constructor(options: StoreOptions = {}) {
    this.#historySize = options.historySize ?? 1000;
  }

  /** The version of the newest change. */
  get version(): number {
    return this.#version;
  }

  /** The oldest version that a watch can resume from and a list can show. */
  get compactedVersion(): number {
    return this.#compacted;
  }

  get(storage: string, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#objects.get(storage)?.get(keyOf(namespace, name));
  }

  /**
   * The objects of one storage as they were at `version` (default: now), in the order of their keys.
   *
   * @throws {CompactedError} when the history does not reach back to `version`.
   */
  list(storage: string, version: number = this.#version): StoredObject[] {
    const objects = new Map(this.#objects.get(storage));
    const undone = [...this.changesAfter(version)].filter((change) => change.storage === storage).reverse();
    for (const { before, after, last } of undone) {
      const key = keyOfObject((after ?? last)!);
      if (before === undefined) objects.delete(key);
      else objects.set(key, before);
    }
    return [...objects].sort(([a], [b]) => a < b ? -1 : 1).map(([, object]) => object);
  }

  /** Whether any object of the storage is in the namespace. */
  hasObjectsIn(storage: string, namespace: string): boolean {
    return this.#objects.get(storage)?.keys().some((key) => key.startsWith(`${namespace}/`)) ?? false;
  }

  /** Creates or replaces the object, gives it the next version, and returns it as it is kept. */
  put(storage: string, object: StoredObject): StoredObject {
    const key = keyOfObject(object);
    const objects = this.#objects.get(storage) ?? new Map<string, StoredObject>();
    this.#objects.set(storage, objects);
    const before = objects.get(key);
    const version = this.#version + 1;
    const after = withVersion(object, version);
    objects.set(key, after);
    this.#record({ version, storage, ...(before === undefined ? {} : { before }), after });
    return after;
  }

  /** Deletes the object and returns its last state with the version of the deletion; nothing when there is none. */
  delete(storage: string, namespace: string | undefined, name: string): StoredObject | undefined {
    const objects = this.#objects.get(storage);
    const before = objects?.get(keyOf(namespace, name));
    if (objects === undefined || before === undefined) return undefined;
    objects.delete(keyOf(namespace, name));
    const version = this.#version + 1;
    const last = withVersion(before, version);
    this.#record({ version, storage, before, last });
    return last;
  }

  /**
   * The changes after `version`, oldest first.
   *
   * @throws {CompactedError} when the history does not reach back to `version`.
   */
  changesAfter(version: number): Change[] {
    if (version < this.#compacted) throw new CompactedError(version, this.#compacted);
    return this.#history.slice(version - this.#compacted);
  }

  /** Forgets the changes up to and including `version` (default: the newest). Newer ones stay. */
  compact(version: number = this.#version): void {
    const upTo = Math.min(version, this.#version);
    if (upTo <= this.#compacted) return;
    this.#history.splice(0, upTo - this.#compacted);
    this.#compacted = upTo;
  }

  /** Calls `listener` after each change, until the function that it returns is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #record(change: Change): void {
    this.#version = change.version;
    this.#history.push(change);
    if (this.#history.length > this.#historySize) this.compact(this.#compacted + 1);
    for (const listener of [...this.#listeners]) listener();
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function keyOfObject({ metadata }: StoredObject): string {
  return keyOf(metadata.namespace, metadata.name);
}

function withVersion(object: StoredObject, version: number): StoredObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}
