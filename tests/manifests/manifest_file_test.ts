import assert from "node:assert/strict";
import { ManifestError, parseManifestFile } from "../../lib/manifests/manifest_file.ts";

function manifest(text: string) {
  return parseManifestFile("a.yaml", text).then(({ manifests }) => manifests[0]!);
}

/** A ConfigMap whose first lines are its apiVersion, kind and name. */
function configMap(rest: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n${rest}`;
}

Deno.test("parseManifestFile() reads a ConfigMap and fills in what it leaves out", async () => {
  assert.deepEqual(await manifest(configMap("data: {k: text, empty: }\nbinaryData: {b: AAH/}\nimmutable: true\n")), {
    key: "ConfigMap/default/a",
    object: {
      kind: "ConfigMap",
      metadata: {
        name: "a",
        namespace: "default",
        uid: "ConfigMap/default/a",
        resourceVersion: "",
        creationTimestamp: "1970-01-01T00:00:00Z",
      },
      data: { k: "text", empty: "" },
      binaryData: { b: "AAH/" },
    },
    place: "a.yaml:1",
  });
});

Deno.test("parseManifestFile() encodes the stringData of a Secret over its data", async () => {
  const text = `apiVersion: v1
kind: Secret
metadata: {name: s, namespace: team}
type: Opaque
data: {kept: a2VwdA==, both: b2xk, folded: "a2Vw\\ndA=="}
stringData: {both: new, more: ü}
`;
  const { key, object } = await manifest(text);
  assert.equal(key, "Secret/team/s");
  assert.deepEqual(object.data, { kept: "a2VwdA==", both: "bmV3", folded: "a2VwdA==", more: "w7w=" });
});

Deno.test("parseManifestFile() reads documents, lists and JSON, and skips other kinds", async () => {
  const places = async (text: string) => {
    const { manifests, skipped } = await parseManifestFile("a", text);
    return [...manifests.map(({ key, place }) => `${key} ${place}`), ...skipped];
  };
  const one = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}\n`;
  assert.deepEqual(await places(`# comment\n${one("a")}---\n---\n${one("b")}`), [
    "ConfigMap/default/a a:2",
    "ConfigMap/default/b a:5",
  ]);
  assert.deepEqual(await places(`kind: List\napiVersion: v1\nitems:\n- ${one("a")}- ${one("b")}`), [
    "ConfigMap/default/a a:4",
    "ConfigMap/default/b a:5",
  ]);
  const items = [{ metadata: { name: "a" }, data: { k: "\t" } }];
  const json = JSON.stringify({ kind: "SecretList", apiVersion: "v1", items: [{ metadata: { name: "s" } }] });
  assert.deepEqual(await places(json), ["Secret/default/s a:1"]);
  assert.deepEqual(
    await places(JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", items }, undefined, "\t")),
    ["ConfigMap/default/a a:5"],
  );
  assert.deepEqual(await places("apiVersion: apps/v1\nkind: Deployment\n---\nkind: Secret\napiVersion: x.io/v1\n"), [
    "Deployment at a:1",
    "Secret at a:4",
  ]);
  assert.deepEqual(await places("# nothing\n"), []);
  assert.deepEqual(await places(""), []);
});

Deno.test("parseManifestFile() accepts the output of kubectl get and keeps its age", async () => {
  const { object: { metadata } } = await manifest(configMap(`  creationTimestamp: 2024-05-01T00:00:00Z
  uid: 8e1d
  resourceVersion: "77"
  generation: 1
  finalizers: [x.io/a]
  managedFields: [{manager: kubectl}]
  ownerReferences: []
  labels: {app: x}
  annotations: {note: "1"}
data:
`));
  assert.deepEqual(metadata, {
    name: "a",
    namespace: "default",
    uid: "ConfigMap/default/a",
    resourceVersion: "",
    creationTimestamp: "2024-05-01T00:00:00Z",
    labels: { app: "x" },
    annotations: { note: "1" },
  });
});

Deno.test("parseManifestFile() resolves anchors, aliases and merge keys", async () => {
  const { object } = await manifest(configMap("data:\n  a: &text hello\n  b: *text\n  <<: {c: merged}\n"));
  assert.deepEqual(object.data, { a: "hello", b: "hello", c: "merged" });
});

const FAULTS: [what: string, text: string, message: string][] = [
  [
    "YAML that ends too early",
    "a: 1\nb: {c: 1\n",
    "a.yaml:3: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }",
  ],
  [
    "a key that is there twice",
    configMap("data:\n  k: a\n  k: b\n"),
    "a.yaml:7: not valid YAML: Map keys must be unique",
  ],
  [
    "an alias that refers to nothing",
    "a: *b\n",
    "a.yaml:1: not valid YAML: Unresolved alias (the anchor must be set before the alias): b",
  ],
  ["a list", "\n- text\n", "a.yaml:2: not a Kubernetes object"],
  ["an item that is text", "apiVersion: v1\nkind: List\nitems:\n- text\n", "a.yaml:4: not a Kubernetes object"],
  ["no kind", "apiVersion: v1\n", "a.yaml:1: not a Kubernetes object: apiVersion and kind are required"],
  [
    "no name",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
    "a.yaml:3: metadata.name: required",
  ],
  ["no metadata", "apiVersion: v1\nkind: Secret\n", "a.yaml:1: metadata.name: required"],
  [
    "a name that none may have",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: Team_A\n",
    'a.yaml:4: metadata.name: accepted are lower-case letters, digits, "-" and "."',
  ],
  [
    "a namespace that none may have",
    configMap("  namespace: a/b\n"),
    'a.yaml:5: metadata.namespace: accepted are lower-case letters, digits, "-" and "."',
  ],
  ["a wrong label key", configMap("  labels:\n    a/b/c: x\n"), "a.yaml:6: metadata.labels.a/b/c: not a label key"],
  [
    "a wrong label value",
    configMap("  labels: {a: 'b c'}\n"),
    'a.yaml:5: metadata.labels.a: "b c" is not a label value',
  ],
  ["a wrong time", configMap("  creationTimestamp: yesterday\n"), "a.yaml:5: metadata.creationTimestamp: not a time"],
  ["an unknown field", configMap("dta: {}\n"), "a.yaml:5: dta: unknown field"],
  ["unknown metadata", configMap("  label: {}\n"), "a.yaml:5: metadata.label: unknown field"],
  [
    "a number",
    `${configMap("data:\n")}---\n${configMap("data:\n  host: a\n  port: 80\n")}`,
    "a.yaml:13: data.port: expected a string, found a number: put it in quotes",
  ],
  ["a list as a value", configMap("data:\n  hosts: [a]\n"), "a.yaml:6: data.hosts: expected a string, found a list"],
  ["data that is a list", configMap("data: [a]\n"), "a.yaml:5: data: not a map"],
  ["metadata that is text", "apiVersion: v1\nkind: ConfigMap\nmetadata: a\n", "a.yaml:3: metadata: not a map"],
];
for (const [what, text, message] of FAULTS) {
  Deno.test(`parseManifestFile() names the line of ${what}`, async () => {
    await assert.rejects(parseManifestFile("a.yaml", text), (error) => {
      assert.ok(error instanceof ManifestError);
      assert.equal(error.message, message);
      return true;
    });
  });
}

Deno.test("parseManifestFile() names each key that is not base64, and keeps the others", async () => {
  const text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  k: secret!\n  good: YQ==\n  l: '*'\n";
  const { manifests, broken } = await parseManifestFile("a.yaml", `${text}---\n${configMap("binaryData: {b: A}\n")}`);
  assert.deepEqual(manifests.map(({ object }) => object.data?.good), ["YQ==", undefined]);
  assert.deepEqual(broken, [
    "a.yaml:5: data.k: not base64 (plain text goes into stringData)",
    "a.yaml:7: data.l: not base64 (plain text goes into stringData)",
    "a.yaml:13: binaryData.b: not base64",
  ]);
});

Deno.test("parseManifestFile() refuses aliases that would grow without limit", async () => {
  const lines = ["a0: &a0 [x, x]"];
  for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`)}]`);
  await assert.rejects(
    parseManifestFile("a.yaml", lines.join("\n")),
    /^ManifestError: a\.yaml:1: not valid YAML: Excessive alias count/,
  );
});

Deno.test("parseManifestFile() tells no value of a Secret in a fault", async () => {
  const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
  const { broken } = await parseManifestFile("a.yaml", `${secret}data: {a: geheim!}`);
  assert.deepEqual(broken, ["a.yaml:4: data.a: not base64 (plain text goes into stringData)"]);
  for (const rest of ["stringData: {a: geheim, b: {c: geheim}}", "stringData:\n  a: geheim\n b: x"]) {
    await assert.rejects(parseManifestFile("a.yaml", secret + rest), (error) => !String(error).includes("geheim"));
  }
});
