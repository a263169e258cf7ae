import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { describeSelection } from "../../../lib/sidecar/collections/describe_selection.ts";

Deno.test("describeSelection() names kinds, labels or names, and namespaces", () => {
  const cases: [env: Record<string, string>, expected: string][] = [
    [{ LABEL: "app" }, "configmaps and secrets with labels app in all namespaces"],
    [{ LABEL: "app", LABEL_VALUE: "x", RESOURCE: "secret" }, "secrets with labels app=x in all namespaces"],
    [{ LABEL: "app", NAMESPACE: "a" }, "configmaps and secrets with labels app in namespace a"],
    [{ LABEL: "app", NAMESPACE: "a,b" }, "configmaps and secrets with labels app in namespaces a, b"],
    [{ LABEL: "app", DEFAULTS: "kiwigrid" }, "configmaps with labels app in the sidecar's own namespace"],
    [
      { LABEL: "app", NAMESPACE_SELECTOR: "team=x", NAMESPACE_EXCLUDE: "kube-*" },
      "configmaps and secrets with labels app in namespaces with labels team=x but kube-*",
    ],
    [{ RESOURCE_NAME: "a,z/secret/b" }, "configmaps and secrets named a, z/Secret/b in all namespaces"],
  ];
  for (const [env, expected] of cases) {
    const { config } = parseConfig({ FOLDER: "/f", ...env });
    assert.equal(describeSelection(config.collections[0]!.selection), expected);
  }
  const { config } = parseConfig({ FOLDER: "/f", LABEL: "app", DEFAULTS: "kiwigrid" });
  const described = describeSelection(config.collections[0]!.selection, "team");
  assert.equal(described, "configmaps with labels app in the sidecar's own namespace (team)");
});
