import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { SelectedNamespaces } from "../../../lib/sidecar/sources/selected_namespaces.ts";
import { configMap } from "../../support/objects.ts";

function namespaces(env: Record<string, string>, { haveLabels = true } = {}) {
  const { selection } = parseConfig({ LABEL: "app", FOLDER: "/f", ...env }).config.collections[0]!;
  const it = new SelectedNamespaces(selection, { haveLabels });
  const changes: string[] = [];
  it.onChange = (namespace) => changes.push(namespace);
  return {
    it,
    changes,
    list(...names: string[]) {
      it.beginList();
      for (const name of names) it.apply(configMap(name));
      it.endList();
    },
  };
}

Deno.test("SelectedNamespaces has every namespace that is not left out", () => {
  const { it } = namespaces({ NAMESPACE_EXCLUDE: "kube-*,b" });
  assert.deepEqual(["a", "b", "kube-system"].map((name) => it.has(name)), [true, false, false]);
  assert.deepEqual([it.source, it.isKnown], [undefined, true]);
});

Deno.test("SelectedNamespaces follows what the selector matches", async () => {
  const { it, changes, list } = namespaces({ NAMESPACE_SELECTOR: "team=x", NAMESPACE_EXCLUDE: "b" });
  assert.deepEqual(it.source, { kind: "Namespace", labelSelector: "team=x" });
  const known = it.known(new AbortController().signal);
  assert.deepEqual([it.isKnown, it.has("a")], [false, false]);
  list("a", "b");
  await known;
  assert.deepEqual([it.isKnown, it.has("a"), it.has("b"), it.has("c")], [true, true, false, false]);
  it.apply(configMap("c"));
  it.apply(configMap("c"));
  it.delete(configMap("a"));
  assert.deepEqual([it.has("a"), it.has("c")], [false, true]);
  assert.deepEqual(changes, ["a", "b", "c", "a"]);
});

Deno.test("SelectedNamespaces drops what a list did not bring once it is complete", () => {
  const { it, changes, list } = namespaces({ NAMESPACE_SELECTOR: "team=x" });
  list("a", "b");
  changes.length = 0;
  it.beginList();
  it.apply(configMap("b"));
  assert.equal(it.has("a"), true);
  it.endList();
  assert.deepEqual([it.has("a"), it.has("b"), changes], [false, true, ["a"]]);
});

Deno.test("SelectedNamespaces ignores the selector where namespaces have no labels", () => {
  const { it } = namespaces({ NAMESPACE_SELECTOR: "team=x" }, { haveLabels: false });
  assert.deepEqual([it.source, it.isKnown, it.has("a")], [undefined, true, true]);
});
