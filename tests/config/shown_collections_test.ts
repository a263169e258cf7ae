import assert from "node:assert/strict";
import { collectionKeys, leavesOf } from "../../lib/config/file/keys.ts";
import { shownCollections } from "../../lib/config/file/shown_collections.ts";

const TEXT = `version: 1
defaults:
  resource: secret
  notify:
    webhook: { url: "http://localhost/?key=hidden", headers: { X-A: hidden, X-B: { env: TOKEN } } }
collections:
  - name: a
    label: x
    folder: /a
    fileMode: "600"
    notify: { webhook: { method: POST, basicAuth: { username: u, password: { file: /pw } }, headers: { X-A: hidden } } }
  - name: b
    label: { a: 1 }
    resource: both
    notify: { onFirstSync: false, webhook: { basicAuth: { password: hidden } } }
`;

function shown(text = TEXT, isKiwigrid = false) {
  return shownCollections(text, { path: "/c.yaml", env: { TOKEN: "hidden" }, isKiwigrid });
}

function key(index: number, name: string, isKiwigrid = false) {
  const { name: _, text: __, ...setting } = shown(TEXT, isKiwigrid)[index]!.settings.find((one) => one.name === name)!;
  return setting;
}

Deno.test("shownCollections() has every key of each collection", () => {
  const collections = shown();
  assert.deepEqual(collections.map(({ name, line, column }) => [name, line, column]), [["a", 7, 5], ["b", 12, 5]]);
  const keys = leavesOf(collectionKeys()).map(({ path }) => path);
  for (const { settings } of collections) assert.deepEqual(settings.map(({ name }) => name), keys);
});

Deno.test("shownCollections() says where each value stands, and what is inherited", () => {
  const at = (line: number, column: number, inherited = false) => ({ from: "CONFIG_FILE", line, column, inherited });
  assert.deepEqual(key(0, "fileMode"), { value: "600", origin: at(10, 15) });
  assert.deepEqual(key(0, "resource"), { value: "secret", origin: at(3, 13, true) });
  assert.deepEqual(key(1, "resource"), { value: "both", origin: at(14, 15) });
  assert.deepEqual(key(1, "notify.onFirstSync"), { value: false, origin: at(15, 28) });
  assert.deepEqual(key(0, "notify.webhook.basicAuth.username"), { value: "u", origin: at(11, 63) });
});

Deno.test("shownCollections() writes defaults as the file would", () => {
  const byDefault = { from: "default" };
  assert.deepEqual(key(1, "fileMode"), { value: "0644", origin: byDefault });
  assert.deepEqual(key(0, "notify.onFirstSync"), { value: true, origin: byDefault });
  assert.deepEqual(key(0, "notify.webhook.timeout"), { value: "10s", origin: byDefault });
  assert.deepEqual(key(0, "notify.webhook.retry.total"), { value: 5, origin: byDefault });
  assert.deepEqual(key(0, "namespaceSelector"), { value: null, origin: byDefault });
  assert.deepEqual(key(0, "namespaces", true), { value: "OWN", origin: { from: "kiwigrid" } });
});

Deno.test("shownCollections() shows references and hides everything that may be a secret", () => {
  assert.doesNotMatch(JSON.stringify(shown()), /hidden/);
  assert.deepEqual(key(0, "notify.webhook.basicAuth.password").value, { file: "/pw" });
  assert.deepEqual(key(0, "notify.webhook.headers").value, { "X-A": "***", "X-B": { env: "TOKEN" } });
  assert.deepEqual(key(1, "notify.webhook.basicAuth.password").value, "***");
});

Deno.test("shownCollections() marks values with a fault and reads what it can", () => {
  assert.equal(key(1, "label").isInvalid, true);
  assert.equal(key(1, "resource").isInvalid, undefined);
  for (const text of ["", "{", "- 1", "collections: 1", "collections: [1]"]) assert.deepEqual(shown(text), [], text);
});
