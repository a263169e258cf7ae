import assert from "node:assert/strict";
import { nearNames } from "../../lib/plan/near_names.ts";

const NAMES = ["node-exporter", "node-exporter-full", "kube-state", "a", "b", "alertmanager"];

for (
  const [wanted, expected] of [
    ["node-exportr", ["node-exporter"]],
    ["node-exporter", ["node-exporter-full"]],
    ["kubestate", ["kube-state"]],
    ["alertmanger", ["alertmanager"]],
    ["c", ["a", "b"]],
    ["something-else", []],
  ] as const
) {
  Deno.test(`nearNames() suggests for ${wanted}: ${expected.join(", ") || "nothing"}`, () => {
    assert.deepEqual(nearNames(wanted, NAMES), expected);
  });
}
