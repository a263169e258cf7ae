import assert from "node:assert/strict";
import { whenAborted } from "../../lib/runtime/when_aborted.ts";

Deno.test("whenAborted() resolves when the signal aborts, and at once when it has", async () => {
  const abort = new AbortController();
  let resolved = false;
  const done = whenAborted(abort.signal).then(() => resolved = true);
  await Promise.resolve();
  assert.equal(resolved, false);
  abort.abort();
  await done;
  await whenAborted(abort.signal);
});
