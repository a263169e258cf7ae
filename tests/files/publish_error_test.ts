import assert from "node:assert/strict";
import { PublishError, reasonOf } from "../../lib/files/publish_error.ts";

const failure = (code: string) => Object.assign(new Error(`what the system says of ${code}`), { code });

Deno.test("isImpossible is true for paths that no file system accepts", () => {
  for (const code of ["ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]) {
    assert.ok(new PublishError("", { cause: failure(code) }).isImpossible, code);
  }
  assert.ok(new PublishError("a directory is in the way").isImpossible);
});

Deno.test("isImpossible is false when the disk is to blame", () => {
  for (const code of ["EPERM", "EIO", "EACCES", "ENOSPC", "EDQUOT", "EROFS"]) {
    assert.ok(!new PublishError("", { cause: failure(code) }).isImpossible, code);
  }
  assert.ok(new PublishError("", { cause: failure("EACCES"), isImpossible: true }).isImpossible);
});

Deno.test("reasonOf() says what to do about the usual errors", () => {
  assert.match(reasonOf(failure("ENOSPC")), /ENOSPC: the volume is full; check emptyDir\.sizeLimit$/);
  assert.match(reasonOf(failure("EROFS")), /: the volume is mounted read-only$/);
  assert.match(reasonOf(failure("EACCES")), /: the sidecar's user has no permission; check fsGroup and runAsUser$/);
  assert.equal(reasonOf(failure("EIO")), failure("EIO").message);
  assert.equal(reasonOf("text"), "text");
});

Deno.test("isObstructed is true for what can be seen at the path, not for a missing right", () => {
  assert.ok(new PublishError("a directory is in the way").isObstructed);
  for (const code of ["ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"]) {
    assert.ok(new PublishError("", { cause: failure(code) }).isObstructed, code);
  }
  for (const code of ["EPERM", "EACCES", "EROFS"]) {
    assert.ok(!new PublishError("", { cause: failure(code), isImpossible: true }).isObstructed, code);
  }
});

Deno.test("PublishError.code is the system's name of the error", () => {
  assert.equal(new PublishError("a").code, undefined);
  assert.equal(new PublishError("a", { cause: new Error("b") }).code, undefined);
  assert.equal(new PublishError("a", { cause: Object.assign(new Error("b"), { code: "ENOSPC" }) }).code, "ENOSPC");
});
