import assert from "node:assert/strict";
import { ByteLimitError, ByteLimits } from "../../lib/downloads/byte_limits.ts";

const NEVER = new AbortController().signal;

/** Brings a file of this many bytes to a path. */
function bring(limits: ByteLimits, path: string, owner: string, bytes: number): void {
  using incoming = limits.open(path, owner);
  incoming.add(bytes);
  incoming.keep();
}

function refusal(act: () => void): ByteLimitError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ByteLimitError);
    return error;
  }
  assert.fail("it was not refused");
}

Deno.test("ByteLimits counts each object by itself, and all together", () => {
  const limits = new ByteLimits({ perObject: 10, total: 15 });
  bring(limits, "/a", "A", 6);
  assert.match(refusal(() => bring(limits, "/b", "A", 5)).message, /10 bytes \(URL_MAX_BYTES_PER_OBJECT\)/);
  bring(limits, "/b", "A", 4);
  assert.match(refusal(() => bring(limits, "/c", "B", 6)).message, /15 bytes \(URL_MAX_BYTES_TOTAL\)/);
  bring(limits, "/c", "B", 5);
  limits.forget("/a");
  bring(limits, "/d", "B", 5);
});

Deno.test("ByteLimits counts downloads under way, beside the files that they replace", () => {
  const limits = new ByteLimits({ perObject: Infinity, total: 10 });
  bring(limits, "/a", "A", 6);
  {
    using again = limits.open("/a", "A");
    again.add(6);
    again.add(2);
    refusal(() => bring(limits, "/b", "B", 3));
    again.restart();
    bring(limits, "/b", "B", 3);
    refusal(() => again.add(8));
  }
  bring(limits, "/a", "A", 7);
  bring(limits, "/a", "A", 1);
  bring(limits, "/c", "C", 6);
});

Deno.test("ByteLimits counts a path for the object that has it now", () => {
  const limits = new ByteLimits({ perObject: 10, total: 100 });
  bring(limits, "/a", "A", 10);
  bring(limits, "/a", "B", 10);
  bring(limits, "/b", "A", 10);
  refusal(() => bring(limits, "/c", "B", 1));
});

Deno.test("ByteLimits without limits refuses nothing", () => {
  const limits = new ByteLimits({ perObject: Infinity, total: Infinity });
  bring(limits, "/a", "A", 1e15);
});

Deno.test("room() resolves when others have made enough room, or on abort", async () => {
  const limits = new ByteLimits({ perObject: Infinity, total: 10 });
  for (const path of ["/a", "/b"]) bring(limits, path, path, 5);
  const error = refusal(() => bring(limits, "/c", "C", 6));
  let hasRoom = false;
  const waiting = limits.room("/c", "C", error, NEVER).then(() => hasRoom = true);
  limits.forget("/a");
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  assert.equal(hasRoom, false);
  limits.forget("/b");
  await waiting;
  bring(limits, "/c", "C", 6);
  const stop = new AbortController();
  const aborted = limits.room("/d", "D", refusal(() => bring(limits, "/d", "D", 6)), stop.signal);
  stop.abort();
  await aborted;
});
