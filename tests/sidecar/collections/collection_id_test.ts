import assert from "node:assert/strict";
import type { Collection } from "../../../lib/config/collection_settings.ts";
import { parseConfig } from "../../../lib/config/config.ts";
import { instanceOf } from "../../../lib/sidecar/collections/collection_id.ts";

const collection = (env: Record<string, string> = {}, name?: string): Collection => {
  const [made] = parseConfig({ LABEL: "app", FOLDER: "/files", ...env }).config.collections;
  return name === undefined ? made! : { ...made!, name };
};

Deno.test("instanceOf() differs by selection and folder, and by nothing else", async () => {
  const instance = await instanceOf([collection()]);
  assert.match(instance, /^[0-9a-f]{10}$/);
  assert.equal(await instanceOf([collection({ REQ_URL: "http://localhost", HEALTH_PORT: "81" })]), instance);
  for (const other of [{ LABEL: "b" }, { FOLDER: "/b" }, { NAMESPACE: "b" }, { RESOURCE: "secret" }]) {
    assert.notEqual(await instanceOf([collection(other)]), instance, JSON.stringify(other));
  }
});

Deno.test("instanceOf() is the same in any order", async () => {
  const [a, b] = [collection({}, "a"), collection({ FOLDER: "/b" }, "b")];
  assert.equal(await instanceOf([a, b], "/c.yaml"), await instanceOf([b, a], "/c.yaml"));
});

Deno.test("instanceOf() begins with what CONFIG_FILE cannot change", async () => {
  const first = async (collections: Collection[], file = "/c.yaml") =>
    (await instanceOf(collections, file)).split("-")[0];
  const start = await first([collection()]);
  assert.equal(await first([collection(), collection({}, "new")]), start);
  assert.notEqual(await first([collection({ FOLDER: "/other" })]), start);
  assert.notEqual(await first([collection()], "/other.yaml"), start);
});
