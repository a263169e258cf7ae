import assert from "node:assert/strict";
import { namePattern } from "../../lib/objects/name_pattern.ts";

Deno.test("namePattern() matches whole names, with * for any characters", () => {
  const names = ["kube-system", "kube-", "kube", "my-kube-system", "a.b", "axb"];
  const matched = (pattern: string) => names.filter((name) => namePattern(pattern).test(name));
  assert.deepEqual(matched("kube-*"), ["kube-system", "kube-"]);
  assert.deepEqual(matched("*-system"), ["kube-system", "my-kube-system"]);
  assert.deepEqual(matched("kube"), ["kube"]);
  assert.deepEqual(matched("a.b"), ["a.b"]);
  assert.deepEqual(matched("*"), names);
});
