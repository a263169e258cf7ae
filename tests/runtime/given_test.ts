import assert from "node:assert/strict";
import { given } from "../../lib/runtime/given.ts";

Deno.test("given() names a value", () => {
  assert.deepEqual({ port: 1, ...given("host", "::") }, { port: 1, host: "::" });
});

Deno.test("given() gives nothing for undefined, and keeps null", () => {
  assert.deepEqual(given("host", undefined), {});
  assert.deepEqual(given("host", null), { host: null });
});
