import assert from "node:assert/strict";
import { fingerprintOf, matchesFingerprint } from "../../lib/notify/fingerprint.ts";

Deno.test("fingerprintOf() is told by its text alone, and reveals nothing of it", async () => {
  const fingerprint = await fingerprintOf("geheim");
  assert.match(fingerprint, /^[0-9a-f]{32}:[0-9a-f]{64}$/);
  assert.notEqual(await fingerprintOf("geheim"), fingerprint, "each has a salt of its own");
  assert.equal(await matchesFingerprint("geheim", fingerprint), true);
  assert.equal(await matchesFingerprint("geheim2", fingerprint), false);
  for (const nonsense of ["", ":", "x:y", "abc:def"]) assert.equal(await matchesFingerprint("geheim", nonsense), false);
});
