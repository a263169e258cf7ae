import assert from "node:assert/strict";
import { PublishError, reasonOf } from "../../lib/files/publish_error.ts";

const failure = (errno: number) => new Error(`what the system says (os error ${errno}): open '/a'`);

Deno.test("PublishError blames the path for what no disk could hold, else the disk", () => {
  for (const errno of [20, 21, 36, 40]) {
    assert.ok(new PublishError("", { cause: failure(errno) }).isOfThePath, `${errno}`);
  }
  for (const errno of [1, 5, 13, 28, 30]) {
    assert.ok(!new PublishError("", { cause: failure(errno) }).isOfThePath, `${errno}`);
  }
  assert.ok(new PublishError("there is a directory in its place").isOfThePath);
});

Deno.test("reasonOf() says what to do about a full volume, a read-only one and missing rights", () => {
  assert.match(reasonOf(failure(28)), /\(os error 28\).*: the volume is full; check emptyDir\.sizeLimit$/);
  assert.match(reasonOf(failure(30)), /: the volume is mounted read-only$/);
  assert.match(reasonOf(failure(13)), /: the user this runs as may not; check fsGroup and runAsUser$/);
  assert.equal(reasonOf(failure(5)), failure(5).message);
  assert.equal(reasonOf("text"), "text");
});
