import assert from "node:assert/strict";
import { messageOf } from "../../lib/runtime/message_of.ts";

Deno.test("messageOf() returns an error's message, else the value as text", () => {
  assert.equal(messageOf(new TypeError("wrong")), "wrong");
  assert.equal(messageOf("text"), "text");
  assert.equal(messageOf(undefined), "undefined");
});
