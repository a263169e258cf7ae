import assert from "node:assert/strict";
import type { Collection } from "../../../lib/config/collection_settings.ts";
import { parseConfig } from "../../../lib/config/config.ts";
import { differenceOf } from "../../../lib/sidecar/collections/collection_difference.ts";

function collection(env: Record<string, string> = {}): Collection {
  const { config } = parseConfig({ LABEL: "app", FOLDER: "/data", ...env });
  return config.collections[0]!;
}

Deno.test("differenceOf() is none for equal settings", () => {
  assert.equal(differenceOf(collection(), collection()), "none");
});

Deno.test("differenceOf() is about requests alone when nothing else changed", () => {
  for (
    const env of [{ REQ_URL: "http://localhost/" }, { REQ_TIMEOUT: "3" }, { SCRIPT: "/a" }, { NOTIFY_MAX_WAIT: "9" }]
  ) {
    assert.equal(differenceOf(collection(), collection(env)), "requests", JSON.stringify(env));
  }
});

Deno.test("differenceOf() is a restart for selection and files, added and removed settings", () => {
  for (
    const env of [{ LABEL: "b" }, { FOLDER: "/b" }, { NAMESPACE: "a" }, { DEFAULT_FILE_MODE: "600" }, {
      STATE_FILE: "/state",
    }]
  ) {
    assert.equal(differenceOf(collection(), collection(env)), "restart", JSON.stringify(env));
    assert.equal(differenceOf(collection(env), collection()), "restart", JSON.stringify(env));
  }
  const before = collection({ NAMESPACE: "a,b" });
  assert.equal(differenceOf(before, collection({ NAMESPACE: "a" })), "restart");
});
