/** Which namespaces are selected: NAMESPACE_EXCLUDE and, with NAMESPACE=ALL, NAMESPACE_SELECTOR. */
import type { Selection } from "../config/config.ts";
import { namePattern } from "../objects/name_pattern.ts";
import type { KubeObject } from "../objects/object.ts";
import type { WatchTarget } from "../objects/source.ts";
import { Changes } from "../runtime/changes.ts";
import type { ObjectSink } from "./object_sink.ts";

/** A source's namespace is chosen by name, so only objects of sources without one are looked at here. */
export class SelectedNamespaces implements ObjectSink {
  readonly #exclude: readonly RegExp[];
  /** Where the selector's namespaces come from; `undefined`: there is no selector, all are selected. */
  readonly source: WatchTarget | undefined;
  /** Told of each namespace that becomes selected, or is no longer. */
  onChange: (namespace: string) => void = () => {};
  readonly #selected = new Set<string>();
  /** Namespaces that the list under way has brought. */
  #listed = new Set<string>();
  #isListed = false;
  readonly #changes = new Changes();

  /** @param options.haveLabels `false`: without a cluster namespaces have none, and the selector has no effect */
  constructor({ namespaceExclude, namespaceSelector }: Selection, { haveLabels }: { haveLabels: boolean }) {
    this.#exclude = namespaceExclude.map(namePattern);
    if (haveLabels && namespaceSelector !== undefined) {
      this.source = { kind: "Namespace", labelSelector: namespaceSelector };
    }
  }

  /** Whether it is known which namespaces the selector matches. Until then nothing follows from its matching none. */
  get isKnown(): boolean {
    return this.source === undefined || this.#isListed;
  }

  /** Resolves once it is known, or when the signal aborts. */
  known(signal: AbortSignal): Promise<void> {
    return this.#changes.until(() => this.isKnown, signal);
  }

  has(namespace: string): boolean {
    if (this.#exclude.some((pattern) => pattern.test(namespace))) return false;
    return this.source === undefined || this.#selected.has(namespace);
  }

  beginList(): void {
    this.#listed = new Set();
  }

  /** The list was complete: the namespaces that it did not bring are selected no more. */
  endList(): void {
    this.#isListed = true;
    for (const namespace of this.#selected) {
      if (!this.#listed.has(namespace)) this.#remove(namespace);
    }
    this.#changes.notify();
  }

  apply({ metadata: { name } }: KubeObject): void {
    this.#listed.add(name);
    if (this.#selected.has(name)) return;
    this.#selected.add(name);
    this.onChange(name);
  }

  /** The namespace is gone, or has lost its labels. */
  delete({ metadata: { name } }: KubeObject): void {
    this.#listed.delete(name);
    this.#remove(name);
  }

  #remove(namespace: string): void {
    if (this.#selected.delete(namespace)) this.onChange(namespace);
  }
}
