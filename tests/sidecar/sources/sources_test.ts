import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import type { Source } from "../../../lib/objects/source.ts";
import { sourcesOf } from "../../../lib/sidecar/sources/sources.ts";

function sourcesFor(env: Record<string, string>): Source[] {
  const { config, faults } = parseConfig({ FOLDER: "/f", ...env });
  assert.deepEqual(faults, []);
  return sourcesOf(config.collections[0]!.selection, "own");
}

Deno.test("sourcesOf() is a source for each kind, in all namespaces or in each one", () => {
  const labelSelector = "app";
  assert.deepEqual(sourcesFor({ LABEL: "app" }), [
    { kind: "ConfigMap", labelSelector },
    { kind: "Secret", labelSelector },
  ]);
  assert.deepEqual(sourcesFor({ LABEL: "app", RESOURCE: "secret", NAMESPACE: "a,b,a" }), [
    { kind: "Secret", namespace: "a", labelSelector },
    { kind: "Secret", namespace: "b", labelSelector },
  ]);
});

Deno.test("sourcesOf() takes the credentials' namespace when no other is named under DEFAULTS=kiwigrid", () => {
  assert.deepEqual(sourcesFor({ LABEL: "app", DEFAULTS: "kiwigrid" }), [
    { kind: "ConfigMap", namespace: "own", labelSelector: "app" },
  ]);
});

Deno.test("sourcesOf() is a source for each named object, whose own kind and namespace come first", () => {
  const names = (env: Record<string, string>) => sourcesFor(env);
  assert.deepEqual(names({ RESOURCE_NAME: "a" }), [
    { kind: "ConfigMap", name: "a" },
    { kind: "Secret", name: "a" },
  ]);
  assert.deepEqual(names({ RESOURCE_NAME: "secret/a", RESOURCE: "configmap", NAMESPACE: "x,y" }), [
    { kind: "Secret", name: "a", namespace: "x" },
    { kind: "Secret", name: "a", namespace: "y" },
  ]);
  assert.deepEqual(names({ RESOURCE_NAME: "z/configmap/a", NAMESPACE: "x" }), [
    { kind: "ConfigMap", name: "a", namespace: "z" },
  ]);
});

Deno.test("sourcesOf() ignores LABEL when objects are named", () => {
  assert.deepEqual(sourcesFor({ RESOURCE_NAME: "z/configmap/a", LABEL: "app" }), [
    { kind: "ConfigMap", name: "a", namespace: "z" },
  ]);
});

Deno.test("sourcesOf() has no object in two sources", () => {
  assert.deepEqual(sourcesFor({ RESOURCE_NAME: "configmap/a,z/configmap/a,ConfigMaps/a" }), [
    { kind: "ConfigMap", name: "a" },
  ]);
  assert.deepEqual(sourcesFor({ RESOURCE_NAME: "a,z/configmap/a,z/secret/b", RESOURCE: "configmap", NAMESPACE: "z" }), [
    { kind: "ConfigMap", name: "a", namespace: "z" },
    { kind: "Secret", name: "b", namespace: "z" },
  ]);
});

Deno.test("sourcesOf() leaves out what NAMESPACE_EXCLUDE matches of a list, not of names", () => {
  assert.deepEqual(
    sourcesFor({ LABEL: "app", RESOURCE: "secret", NAMESPACE: "a,kube-x", NAMESPACE_EXCLUDE: "kube-*" }),
    [
      { kind: "Secret", namespace: "a", labelSelector: "app" },
    ],
  );
  assert.deepEqual(sourcesFor({ RESOURCE_NAME: "kube-x/secret/a", NAMESPACE_EXCLUDE: "kube-*" }), [
    { kind: "Secret", name: "a", namespace: "kube-x" },
  ]);
});
