import assert from "node:assert/strict";
import { checkHealth } from "../../lib/serve/health.ts";

Deno.test("checkHealth() reports not ready, stuck, or both", () => {
  const reasonsOf = (notReady?: string, stuck?: string) => {
    const state = { notReady: () => notReady, stuck: () => stuck };
    return ["/healthz", "/livez", "/readyz"].map((path) => checkHealth(path, state)?.reason ?? "ok");
  };
  assert.deepEqual(reasonsOf(), ["ok", "ok", "ok"]);
  assert.deepEqual(reasonsOf("not yet"), ["not yet", "ok", "not yet"]);
  assert.deepEqual(reasonsOf(undefined, "stuck"), ["stuck", "stuck", "ok"]);
  assert.deepEqual(reasonsOf("not yet", "stuck"), ["not yet", "stuck", "not yet"]);
});

Deno.test("checkHealth() knows no other path", () => {
  const state = { notReady: () => undefined, stuck: () => undefined };
  for (const path of ["/", "/metrics", "/healthz/", "/HEALTHZ"]) assert.equal(checkHealth(path, state), undefined);
});
