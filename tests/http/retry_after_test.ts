import assert from "node:assert/strict";
import { retryAfterSeconds } from "../../lib/http/retry_after.ts";

Deno.test("retryAfterSeconds() reads seconds and dates", () => {
  const now = Date.parse("2026-11-25T18:00:00Z");
  const of = (header: string | null) => retryAfterSeconds(header, now);
  assert.deepEqual([of("120"), of(" 0 "), of("Wed, 25 Nov 2026 18:01:30 GMT")], [120, 0, 90]);
  assert.equal(of("Wed, 25 Nov 2026 17:00:00 GMT"), 0);
  for (const header of [null, "", "-5", "1.5", "soon"]) assert.equal(of(header), undefined, String(header));
});
