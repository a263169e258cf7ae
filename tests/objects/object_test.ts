import assert from "node:assert/strict";
import { describeRef } from "../../lib/objects/ref.ts";
import { describeSource } from "../../lib/objects/source.ts";
import { KINDS, pluralOf } from "../../lib/objects/kind.ts";

Deno.test("pluralOf() is what an API path has", () => {
  assert.deepEqual(KINDS.map(pluralOf), ["configmaps", "secrets"]);
});

Deno.test("describeRef() names kind, namespace and name", () => {
  assert.equal(
    describeRef({ kind: "Secret", namespace: "grafana", name: "datasources" }),
    "Secret grafana/datasources",
  );
});

Deno.test("describeSource() names what is watched, and where", () => {
  assert.equal(describeSource({ kind: "ConfigMap" }), "configmaps in all namespaces");
  assert.equal(describeSource({ kind: "Secret", namespace: "a", labelSelector: "x" }), 'secrets in namespace "a"');
  assert.equal(describeSource({ kind: "Secret", namespace: "a", name: "b" }), 'secrets named "b" in namespace "a"');
});
