import assert from "node:assert/strict";
import { StreamPatience } from "../../../lib/kube/watch/stream_patience.ts";

Deno.test("StreamPatience waits 30 seconds for each initial event", () => {
  const patience = new StreamPatience();
  assert.equal(patience.seconds, 30);
  for (let count = 0; count < 10; count++) {
    patience.waited(25);
    assert.equal(patience.seconds, 5);
    patience.saw("ADDED");
    assert.equal(patience.seconds, 30);
  }
});

for (const type of ["BOOKMARK", "MODIFIED", "DELETED"] as const) {
  Deno.test(`StreamPatience takes no event for an initial one after ${type}`, () => {
    const patience = new StreamPatience();
    patience.saw("ADDED");
    patience.waited(10);
    patience.saw(type);
    assert.equal(patience.seconds, 20);
    patience.saw("ADDED");
    assert.equal(patience.seconds, 20);
  });
}

Deno.test("StreamPatience ends after ten minutes of nothing but new objects", () => {
  const patience = new StreamPatience();
  for (let waited = 0; waited < 600; waited += 20) {
    assert.ok(patience.seconds > 0, `after ${waited} s`);
    patience.waited(20);
    patience.saw("ADDED");
  }
  assert.equal(patience.seconds, 0);
});
