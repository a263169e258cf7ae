import assert from "node:assert/strict";
import { unlessAborted } from "../../lib/runtime/unless_aborted.ts";

Deno.test("unlessAborted() passes on what the work comes to", async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
  await assert.rejects(unlessAborted(Promise.reject(new Error("no")), signal), { message: "no" });
});

Deno.test("unlessAborted() rejects at once when the signal aborts", async () => {
  const abort = new AbortController();
  const work = Promise.withResolvers<void>();
  const outcome = unlessAborted(work.promise, abort.signal);
  abort.abort(new Error("stop"));
  await assert.rejects(outcome, { message: "stop" });
  await assert.rejects(unlessAborted(Promise.resolve(1), abort.signal), { message: "stop" });
  work.reject(new Error("too late, and nobody listens"));
  await work.promise.catch(() => {});
});
