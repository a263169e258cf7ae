/** Which sources were listed in full: until then, an object missing from a source must not be treated as deleted. */
import { keyOf, type ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";

interface SourceState {
  /** Number of the list under way, or of the last one. */
  list: number;
  isListed: boolean;
  /** Keys of objects that were read individually since the list under way began. The list may be older. */
  readSince: Set<string> | undefined;
}

/** Stands for any namespace, or any name, in the index. */
const ANY = "*";

export class SourceLists {
  readonly #states: ReadonlyMap<Source, SourceState>;
  /** Sources by kind, namespace and name; no two of them select the same object. */
  readonly #index = new Map<string, SourceState>();
  #unlisted: number;

  constructor(sources: readonly Source[]) {
    const states = sources.map((source): [Source, SourceState] => [
      source,
      { list: 0, isListed: false, readSince: undefined },
    ]);
    this.#states = new Map(states);
    for (const [{ kind, namespace = ANY, name = ANY }, state] of states) {
      this.#index.set(keyOf({ kind, namespace, name }), state);
    }
    this.#unlisted = sources.length;
  }

  /** Sources that have not been listed in full yet. */
  get unlisted(): Source[] {
    return [...this.#states].filter(([, { isListed }]) => !isListed).map(([source]) => source);
  }

  get areComplete(): boolean {
    return this.#unlisted === 0;
  }

  begin(source: Source): void {
    const state = this.#stateOf(source);
    state.list++;
    state.readSince = new Set();
  }

  /** Returns whether this was the source's first complete list in this run. */
  end(source: Source): boolean {
    const state = this.#stateOf(source);
    state.readSince = undefined;
    if (state.isListed) return false;
    state.isListed = true;
    this.#unlisted--;
    return true;
  }

  /** Number of the list of a source that is under way, or else of the last one. */
  numberOf(source: Source): number {
    return this.#stateOf(source).list;
  }

  /** Records that an object was read individually. */
  markRead(source: Source, key: string): void {
    this.#stateOf(source).readSince?.add(key);
  }

  /** Whether the object was read individually since the list under way began. */
  wasReadSince(source: Source, key: string): boolean {
    return this.#stateOf(source).readSince?.has(key) === true;
  }

  /**
   * Whether we can tell if the object is still selected: true once the source that covers it was listed in full. If none
   * covers it, true once all sources were.
   */
  canTell({ kind, namespace, name }: ObjectRef): boolean {
    const state = this.#index.get(keyOf({ kind, namespace, name: ANY })) ??
      this.#index.get(keyOf({ kind, namespace: ANY, name: ANY })) ??
      this.#index.get(keyOf({ kind, namespace, name })) ??
      this.#index.get(keyOf({ kind, namespace: ANY, name }));
    return state?.isListed ?? this.areComplete;
  }

  #stateOf(source: Source): SourceState {
    const state = this.#states.get(source);
    if (state === undefined) throw new TypeError(`unknown source ${JSON.stringify(source)}`);
    return state;
  }
}
