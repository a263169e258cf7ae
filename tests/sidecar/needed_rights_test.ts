import assert from "node:assert/strict";
import type { Collection } from "../../lib/config/collection_settings.ts";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import { neededRights } from "../../lib/sidecar/needed_rights.ts";

const configOf = (env: Record<string, string>) => parseConfig({ LABEL: "a", FOLDER: "/f", ...env }).config;

/** One line for each rule: `team-a: get list watch configmaps secrets` */
function rights(config: Config): string[] {
  return [...neededRights(config, "own").rules].flatMap(([namespace, rules]) =>
    rules.map(({ resources, resourceNames = [], verbs }) => {
      const names = resourceNames.length === 0 ? "" : ` named ${resourceNames.join(" ")}`;
      return `${namespace ?? "*"}: ${verbs.join(" ")} ${resources.join(" ")}${names}`;
    })
  );
}

/** A configuration with a collection for each environment. */
function withCollections(...envs: Record<string, string>[]): Config {
  const collections = envs.map((env, index): Collection => ({ ...configOf(env).collections[0]!, name: `c${index}` }));
  return { ...configOf(envs[0] ?? {}), collections };
}

Deno.test("neededRights() has a ClusterRole for all namespaces and a Role for each named one", () => {
  const cases: [env: Record<string, string>, expected: string[]][] = [
    [{}, ["*: get list watch configmaps secrets"]],
    [{ NAMESPACE: "b,a", RESOURCE: "secret" }, ["a: get list watch secrets", "b: get list watch secrets"]],
    [{ DEFAULTS: "kiwigrid" }, ["own: get list watch configmaps"]],
    [{ NAMESPACE: "a,b", NAMESPACE_EXCLUDE: "b" }, ["a: get list watch configmaps secrets"]],
    [{ METHOD: "LIST", NAMESPACE: "a" }, ["a: get list configmaps secrets"]],
    [{ METHOD: "SLEEP", NAMESPACE: "a" }, ["a: get list configmaps secrets"]],
  ];
  for (const [env, expected] of cases) assert.deepEqual(rights(configOf(env)), expected, JSON.stringify(env));
});

Deno.test("neededRights() names the objects of RESOURCE_NAME, where they are", () => {
  const RESOURCE_NAME = "configmap/x,secret/y,b/configmap/w,z";
  assert.deepEqual(rights(configOf({ RESOURCE_NAME, NAMESPACE: "a" })), [
    "a: get list watch configmaps named x z",
    "a: get list watch secrets named y z",
    "b: get list watch configmaps named w",
  ]);
  assert.deepEqual(rights(configOf({ RESOURCE_NAME: "secret/y" })), ["*: get list watch secrets named y"]);
});

Deno.test("neededRights() adds what features need, with the same names", () => {
  const features = { EVENT_LOGGING: "true", FINALIZERS: "true" };
  assert.deepEqual(rights(configOf({ ...features, NAMESPACE: "a", RESOURCE_NAME: "configmap/x" })), [
    "a: get list watch configmaps named x",
    "a: patch configmaps named x",
    "a: create patch events",
  ]);
  assert.deepEqual(rights(configOf({ ...features, NAMESPACE_SELECTOR: "team=a" })), [
    "*: get list watch configmaps secrets",
    "*: patch configmaps secrets",
    "*: create patch events",
    "*: list watch namespaces",
  ]);
});

Deno.test("neededRights() unites collections and has no rule twice", () => {
  const config = withCollections(
    { NAMESPACE: "a", RESOURCE: "configmap", EVENT_LOGGING: "true" },
    { NAMESPACE: "a,b", RESOURCE: "both" },
    { NAMESPACE: "b", RESOURCE_NAME: "secret/s" },
    { NAMESPACE: "c", RESOURCE_NAME: "configmap/x" },
    { RESOURCE: "secret" },
    { RESOURCE_NAME: "configmap/x" },
  );
  assert.deepEqual(rights(config), [
    "a: get list watch configmaps",
    "b: get list watch configmaps",
    "*: get list watch secrets",
    "*: get list watch configmaps named x",
    "*: create patch events",
  ]);
  const [rule] = neededRights(config, "own").rules.get("a") ?? [];
  assert.deepEqual(rule?.reasons, ["CONFIG_FILE: collections c0, c1"]);
});

Deno.test("neededRights() counts namespaces that one watch could follow", () => {
  const namespaces = Array.from({ length: 9 }, (_, index) => `n${index}`).join();
  assert.equal(neededRights(configOf({ NAMESPACE: namespaces }), "own").manyNamespaces, 9);
  assert.equal(neededRights(configOf({ NAMESPACE: "a,b" }), "own").manyNamespaces, undefined);
});
