/** Which namespaces are selected: NAMESPACE_EXCLUDE and, with NAMESPACE=ALL, NAMESPACE_SELECTOR. */
import type { Selection } from "../../config/collection_settings.ts";
import { namePattern } from "../../objects/name_pattern.ts";
import type { KubeObject } from "../../objects/object.ts";
import type { WatchTarget } from "../../objects/source.ts";
import { Changes } from "../../runtime/changes.ts";
import type { ObjectSink } from "./object_sink.ts";

/** Applies to sources of all namespaces only: a namespace in NAMESPACE or RESOURCE_NAME is selected by its name. */
export class SelectedNamespaces implements ObjectSink {
  readonly #exclude: readonly RegExp[];
  /** Lists the namespaces that the selector matches; `undefined`: there is no selector, so all are selected. */
  readonly source: WatchTarget | undefined;
  /** Called for each namespace that becomes selected or unselected. */
  onChange: (namespace: string) => void = () => {};
  readonly #selected = new Set<string>();
  /** Namespaces in the list under way. */
  #listed = new Set<string>();
  #isListed = false;
  readonly #changes = new Changes();

  /** @param options.haveLabels `false` without a cluster: namespaces then have no labels, so the selector is ignored */
  constructor({ namespaceExclude, namespaceSelector }: Selection, { haveLabels }: { haveLabels: boolean }) {
    this.#exclude = namespaceExclude.map(namePattern);
    if (haveLabels && namespaceSelector !== undefined) {
      this.source = { kind: "Namespace", labelSelector: namespaceSelector };
    }
  }

  /** Whether the namespaces were listed. Until then, a namespace that is missing must not be treated as unselected. */
  get isKnown(): boolean {
    return this.source === undefined || this.#isListed;
  }

  /** Resolves once they were listed, or when the signal aborts. */
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

  /** The list is complete: namespaces that were not in it are no longer selected. */
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

  /** The namespace was deleted, or its labels no longer match. */
  delete({ metadata: { name } }: KubeObject): void {
    this.#listed.delete(name);
    this.#remove(name);
  }

  #remove(namespace: string): void {
    if (this.#selected.delete(namespace)) this.onChange(namespace);
  }
}
