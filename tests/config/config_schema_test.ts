import assert from "node:assert/strict";
import { Ajv } from "ajv";
import fc from "fast-check";
import { parse } from "yaml";
import { configSchema } from "../../docs/config_schema.ts";
import { parseConfigFile } from "../../lib/config/config_file.ts";
import { collectionKeys, type Group } from "../../lib/config/file/keys.ts";

const validate = new Ajv({ strict: true, strictRequired: false, strictTypes: false }).compile(configSchema());
const ENV = { REQ_USERNAME: "me", REQ_PASSWORD: "secret" };

function reasonsOf(text: string): string[] {
  return parseConfigFile(text, { path: "config.yaml", env: ENV, isFile: () => true }).faults.map(({ reason }) =>
    reason
  );
}

/** Faults that a schema need not find: of two collections, of the merged values, of the environment, and of a grammar. */
const BEYOND_SCHEMA: RegExp[] = [
  /^the environment variable .* is not set$/,
  /^".*" is also the name in line /,
  /^(is the same folder as|is inside|contains) that of the collection /,
  /^the collection .* has the same file/,
  // `defaults` may have it
  /^is required$/,
  /^is required: the URL to call$/,
  /^does not go with the (selector|names) of defaults: /,
  // Ranges of durations
  /^"([0-9.]+(ms|s|m|h))+": expected a duration /,
  // Grammars
  /^"https?:[^@]*": expected an http/,
  /^"[^,\s]+": expected (host names|names as name)/,
  /^".+": expected a label selector/,
  /: expected (the name of a header|text that a header may have)$/,
];

/** What the schema refuses, the parser refuses; what it accepts, the parser refuses only for what is beyond it. */
function differs(document: unknown): string | undefined {
  const isValid = validate(document);
  const reasons = reasonsOf(JSON.stringify(document));
  const known = reasons.filter((reason) => !BEYOND_SCHEMA.some((pattern) => pattern.test(reason)));
  if (isValid ? known.length === 0 : reasons.length > 0) return undefined;
  return JSON.stringify({ document, schema: validate.errors, reasons }, null, 1);
}

/** Values that the form accepts. */
const GOOD: Record<string, unknown[]> = {
  text: ["x", "/etc/x"],
  boolean: [true, false],
  negated: [true, false],
  duration: ["10s", "500ms", "1m30s", "0s"],
  size: ["64Mi", "1Ki", 4096],
  sizeLimit: ["64Mi", 4096, 0, "0"],
  count: [1, 5],
  number: [0.5, 3],
  mode: ["0644", "600", "0o600"],
  url: ["http://localhost/reload", "https://x"],
  path: ["/a", "/b", "/a/c"],
  pathOrNone: ["none", "/state"],
  name: ["a", "b"],
  labelKey: ["app", "example.com/app"],
  labelValue: ["1", "true"],
  namespaces: ["ALL", "OWN", ["a", "b"]],
  json: ["text", { a: 1 }, null],
  headers: [{ "X-A": "b" }, { "X-A": { env: "REQ_PASSWORD" }, b: { file: "/c" } }],
  reference: [{ env: "REQ_PASSWORD" }, { file: "/password" }],
  textOrReference: ["me", { env: "REQ_USERNAME" }],
};

/** Of lists and words, by path. */
const GOOD_BY_PATH: Record<string, unknown[]> = {
  resource: ["both", "secret"],
  names: [["a"], ["x/secret/b"]],
  namespaceExclude: [["kube-*"]],
  allowedFolders: [["/x"], ["/x y", "/z"]],
  collisions: ["oldest", "newest"],
  onRemove: ["delete", "keep"],
  selector: ["a=b", "a in (b,c)"],
  namespaceSelector: ["team=a"],
  "urls.allowedHosts": [["*.example.com", "10.0.0.0/8"]],
  "notify.webhook.method": ["GET", "POST"],
  "notify.webhook.basicAuth.encoding": ["latin1", "utf-8"],
};

const BAD: unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    644,
    1e9,
    1e20,
    "",
    " ",
    "x",
    "X y",
    "a,b",
    "a\u0000",
    "/a\nb",
    "10",
    "10 s",
    "-1s",
    "1d",
  ],
  ...[
    "64MB",
    "0Mi",
    "0944",
    "07777777",
    "ftp://x",
    "http://[",
    "http://u:p@x",
    "relative",
    "~/a",
    "Both",
    "GeT",
    "all",
    "a=b",
    "a/b/c",
  ],
  ...[
    "-a",
    `${"a".repeat(64)}`,
    `${"a".repeat(254)}/b`,
    "99999999999999999999",
    "999999999999999Gi",
    "1h1h",
    "9999999s",
  ],
  ...[[], [1], [""], ["a,b"], ["ALL"], [" a"], ["A"], [null], ["http://x"], ["/a "], ["pod/x"]],
  ...[{}, { env: "" }, { env: "NONE" }, { env: "A=B" }, { env: 1 }, { file: "x" }, { file: "" }, {
    env: "A",
    file: "/b",
  }],
  ...[{ "b c": "x" }, { "X-A": 5 }, { "X-A": "a\nb" }, { "X-A": {} }, { a: null }],
];

/** A map with some of the keys: most values are good, few bad, few keys unknown. */
function maps(group: Group, required: readonly string[] = []): fc.Arbitrary<Record<string, unknown>> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, key] of group.keys) {
    if (name === "name" && required.length === 0) continue;
    const good = key.type === "group" ? maps(key) : fc.constantFrom(...GOOD_BY_PATH[key.path] ?? GOOD[key.form]!);
    model[name] = fc.oneof({ weight: 60, arbitrary: good }, { weight: 1, arbitrary: fc.constantFrom(...BAD) });
  }
  const names = Object.keys(model);
  const chosen = fc.subarray(names, { maxLength: Math.min(4, names.length) }).map((
    keys,
  ) => [...new Set([...required, ...keys])]);
  const known = chosen.chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, model[key]!]))));
  return fc.oneof(
    { weight: 40, arbitrary: known },
    { weight: 1, arbitrary: known.map((map) => ({ ...map, unknown: 1 })) },
  );
}

const keys = collectionKeys();
const collection = fc.oneof(
  { weight: 10, arbitrary: maps(keys, ["name", "label", "folder"]) },
  { weight: 2, arbitrary: maps(keys, ["name", "selector", "folder"]) },
  { weight: 1, arbitrary: maps(keys, ["name"]) },
  { weight: 1, arbitrary: fc.constantFrom(null, {}, "a", []) },
);
const documents = fc.record({
  version: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, "1", null) }),
  defaults: fc.oneof(
    { weight: 20, arbitrary: maps(keys) },
    { weight: 1, arbitrary: fc.constantFrom(null, [], { name: "a" }) },
  ),
  collections: fc.array(collection, { minLength: 0, maxLength: 2 }),
}, { requiredKeys: [] });

Deno.test("the schema and parseConfigFile() accept and refuse the same", () => {
  const counts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(documents, (document) => {
      counts[validate(document) ? "accepted" : "refused"]++;
      assert.equal(differs(document), undefined);
    }),
    { numRuns: 3000, seed: 20261125 },
  );
  assert.ok(counts.accepted > 300 && counts.refused > 300, JSON.stringify(counts));
});

Deno.test("the schema and parseConfigFile() agree on each good and each bad value of each key", () => {
  const complete = { name: "a", label: "app", folder: "/files" };
  const faults: string[] = [];
  const visit = (group: Group, wrap: (map: Record<string, unknown>) => Record<string, unknown>) => {
    for (const [name, key] of group.keys) {
      if (key.type === "group") visit(key, (map) => wrap({ [name]: map }));
      const good = key.type === "group" ? [{}] : GOOD_BY_PATH[key.path] ?? GOOD[key.form]!;
      for (const value of [...good, ...BAD]) {
        const fault = differs({ version: 1, collections: [{ ...complete, ...wrap({ [name]: value }) }] });
        if (fault !== undefined) faults.push(fault);
      }
    }
  };
  visit(keys, (map) => map);
  assert.deepEqual(faults.slice(0, 3), []);
});

Deno.test("examples/config.yaml suits the schema and parseConfigFile(), and has every key", () => {
  const text = Deno.readTextFileSync(new URL("../../examples/config.yaml", import.meta.url));
  assert.deepEqual([validate(parse(text)), validate.errors], [true, null]);
  assert.deepEqual(reasonsOf(text), []);
  const { collections, warnings } = parseConfigFile(text, { path: "config.yaml", env: ENV, isFile: () => true });
  assert.deepEqual([collections.length, warnings], [5, []]);
  const missing: string[] = [];
  const visit = (group: Group) => {
    for (const [name, key] of group.keys) {
      if (key.type === "group") visit(key);
      if (!new RegExp(`\\b${name}:`).test(text)) missing.push(key.path);
    }
  };
  visit(keys);
  assert.deepEqual(missing, []);
});

Deno.test("the examples of the documents suit the schema and parseConfigFile()", () => {
  for (const path of ["README.md", "docs/collections.md"]) {
    const document = Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
    const text = /```yaml\n((?:#.*\n)?version: 1\n[\s\S]*?)```/.exec(document)![1]!;
    assert.deepEqual([validate(parse(text)), validate.errors], [true, null], path);
    assert.deepEqual(reasonsOf(text.replace("GRAFANA_PASSWORD", "REQ_PASSWORD")), [], path);
  }
});
