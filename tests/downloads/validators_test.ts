import assert from "node:assert/strict";
import { conditions, validatorsOf } from "../../lib/downloads/validators.ts";

const URL_A = new URL("https://x.test/a");
const LATER = "Thu, 01 Jan 2026 00:00:01 GMT";
const EARLIER = "Thu, 01 Jan 2026 00:00:00 GMT";

function conditionsAfter(headers: Record<string, string>, status = 200): Record<string, string> {
  return conditions(validatorsOf({ status, headers: new Headers(headers) }, URL_A, "Basic x"), URL_A, "Basic x");
}

Deno.test("conditions() asks by ETag, else by Last-Modified", () => {
  for (const etag of ['"1"', 'W/"weak"', '""']) {
    assert.deepEqual(conditionsAfter({ etag, date: LATER, "last-modified": EARLIER }), { "if-none-match": etag });
  }
  assert.deepEqual(conditionsAfter({ date: LATER, "last-modified": EARLIER }), { "if-modified-since": EARLIER });
});

Deno.test("validatorsOf() keeps nothing that could deceive or is too large", () => {
  for (const etag of ["1", '"a b"', '"ä"', `"${"x".repeat(300)}"`]) {
    assert.deepEqual(conditionsAfter({ etag }), {}, etag);
  }
  for (const date of [EARLIER, "", "soon"]) assert.deepEqual(conditionsAfter({ date, "last-modified": EARLIER }), {});
  assert.deepEqual(conditionsAfter({ date: LATER, "last-modified": "yesterday" }), {});
  for (const status of [203, 206, 500]) assert.deepEqual(conditionsAfter({ etag: '"1"' }, status), {});
  const long = new URL(`https://x.test/${"x".repeat(3000)}`);
  assert.equal(validatorsOf(new Response("", { headers: { etag: '"1"' } }), long, undefined), undefined);
});

Deno.test("conditions() asks nothing of another URL or with other credentials", () => {
  const known = validatorsOf(new Response("", { headers: { etag: '"1"' } }), URL_A, "Basic x");
  for (const authorization of [undefined, "Basic y"]) assert.deepEqual(conditions(known, URL_A, authorization), {});
  assert.deepEqual(conditions(known, new URL("https://x.test/b"), "Basic x"), {});
  assert.deepEqual(conditions(undefined, URL_A, "Basic x"), {});
});
