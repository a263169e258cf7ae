import assert from "node:assert/strict";
import { shortened } from "../../../lib/kube/events/event_message.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

Deno.test("shortened() leaves a message alone that has 1024 bytes at most", () => {
  for (const message of ["", "x".repeat(1024), "é".repeat(512), "🧭".repeat(256)]) {
    assert.equal(shortened(message), message);
  }
});

Deno.test("shortened() cuts a message of more than 1024 bytes between two characters", () => {
  assert.equal(shortened("x".repeat(1025)), "x".repeat(1021) + "…");
  assert.equal(shortened("é".repeat(513)), "é".repeat(510) + "…");
  const short = shortened("x" + "🧭".repeat(1000));
  assert.equal(short, "x" + "🧭".repeat(255) + "…");
  assert.equal(bytesOf(short), 1024);
  assert.equal(shortened("xx" + "🧭".repeat(1000)), "xx" + "🧭".repeat(254) + "…");
});
