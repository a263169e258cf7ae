import assert from "node:assert/strict";
import { parseSubject } from "../../lib/plan/subject.ts";

const REF = { kind: "ConfigMap", namespace: "a", name: "one" } as const;

for (
  const [text, expected] of [
    ["a/configmap/one", { ref: REF }],
    ["a/ConfigMaps/one", { ref: REF }],
    ["a/CM/one", { ref: REF }],
    ["cm/a/one", { ref: REF }],
    ["a/secrets/one", { ref: { ...REF, kind: "Secret" } }],
    ["secret/one", { ref: { kind: "Secret", namespace: "own", name: "one" } }],
    ["secret/secret/secret", { ref: { kind: "Secret", namespace: "secret", name: "secret" } }],
    ["/files/../a.json", { path: "/a.json" }],
    ["one", { name: "one" }],
    ["a/one", { namespace: "a", name: "one" }],
    ["One", undefined],
    ["a/pod/one", undefined],
    ["a//one", undefined],
    ["a/cm/one/two", undefined],
    ["constructor/one", { namespace: "constructor", name: "one" }],
  ] as const
) {
  Deno.test(`parseSubject() reads ${text}`, () => assert.deepEqual(parseSubject(text, "own"), expected));
}

Deno.test("parseSubject() resolves a relative path", () => {
  assert.deepEqual(parseSubject("./a.json", "own"), { path: `${Deno.cwd()}/a.json` });
});
