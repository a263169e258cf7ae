import assert from "node:assert/strict";
import { StreamingListTimeout } from "../../../lib/kube/watch/streaming_list_timeout.ts";

Deno.test("StreamingListTimeout waits 30 seconds for each initial event", () => {
  const timeout = new StreamingListTimeout();
  assert.equal(timeout.seconds, 30);
  for (let count = 0; count < 10; count++) {
    timeout.waited(25);
    assert.equal(timeout.seconds, 5);
    timeout.saw("ADDED");
    assert.equal(timeout.seconds, 30);
  }
});

for (const type of ["BOOKMARK", "MODIFIED", "DELETED"] as const) {
  Deno.test(`StreamingListTimeout takes no event for an initial one after ${type}`, () => {
    const timeout = new StreamingListTimeout();
    timeout.saw("ADDED");
    timeout.waited(10);
    timeout.saw(type);
    assert.equal(timeout.seconds, 20);
    timeout.saw("ADDED");
    assert.equal(timeout.seconds, 20);
  });
}

Deno.test("StreamingListTimeout ends after ten minutes of nothing but new objects", () => {
  const timeout = new StreamingListTimeout();
  for (let waited = 0; waited < 600; waited += 20) {
    assert.ok(timeout.seconds > 0, `after ${waited} s`);
    timeout.waited(20);
    timeout.saw("ADDED");
  }
  assert.equal(timeout.seconds, 0);
});
