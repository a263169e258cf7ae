/** Which sources were listed in full in this run: until then, nothing follows from what a source has not brought. */
import { keyOf, type ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";

interface SourceState {
  /** Number of the list under way, or of the last one. */
  list: number;
  isListed: boolean;
  /** Keys of objects that were read on their own since the list under way began. The list may be older than that. */
  readSince: Set<string> | undefined;
}

/** Stands for any namespace, or any name, in the index. */
const ANY = "*";

export class SourceLists {
  readonly #states: ReadonlyMap<Source, SourceState>;
  /** Sources by what they select; no two of them select the same object. */
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

  /** Number of the list of a source that is under way, or was the last. */
  numberOf(source: Source): number {
    return this.#stateOf(source).list;
  }

  /** Notes that an object was read on its own. */
  markRead(source: Source, key: string): void {
    this.#stateOf(source).readSince?.add(key);
  }

  /** Whether the object was read on its own since the list under way began. */
  wasReadSince(source: Source, key: string): boolean {
    return this.#stateOf(source).readSince?.has(key) === true;
  }

  /**
   * Whether it is known if an object is still selected: the source that selects it was listed in full. For an object that
   * no source selects, as of another namespace in an earlier run: every source was.
   */
  know({ kind, namespace, name }: ObjectRef): boolean {
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
