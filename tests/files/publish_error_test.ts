import assert from "node:assert/strict";
import { PublishError, publishErrorOf, reasonOf } from "../../lib/files/publish_error.ts";

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

Deno.test("publishErrorOf() blames the path for what FOLDER itself does not suffer from", () => {
  const blames = (code: string, isWritable: boolean) => {
    const where = { action: "cannot write /data/a:b/x", path: "/data/a:b/x" };
    return publishErrorOf(failure(code), where, () => isWritable).isImpossible;
  };
  for (const code of ["EPERM", "EACCES", "EROFS", "EBUSY", "EINVAL", "EILSEQ"]) {
    assert.ok(blames(code, true), code);
    assert.ok(!blames(code, false), code);
  }
  for (const code of ["ENOSPC", "EDQUOT", "EIO"]) assert.ok(!blames(code, true), code);
});

Deno.test("PublishError.code knows errors for which Deno has no symbol", () => {
  const code = (message: string) => new PublishError("", { cause: new Error(message) }).code;
  assert.equal(code("Disk quota exceeded (os error 122): write"), "EDQUOT");
  assert.equal(code("Function not implemented (os error 38): chmod '/a'"), "ENOSYS");
  assert.equal(code("Invalid or incomplete multibyte or wide character (os error 84): mkdir '/a'"), "EILSEQ");
  assert.equal(code("some other error"), undefined);
});

Deno.test("publishErrorOf() names the path once", () => {
  const busy = Object.assign(new Error("busy (os error 16): remove '/data/x'"), { code: "EBUSY" });
  const { message } = publishErrorOf(busy, { action: "cannot remove /data/x", path: "/data/x" }, () => true);
  assert.match(message, /^cannot remove \/data\/x: busy \(os error 16\): something is mounted there;/);
  const full = Object.assign(new Error("full (os error 28): mkdir '/data/a'"), { code: "ENOSPC" });
  const other = publishErrorOf(full, { action: "cannot write /data/a/x", path: "/data/a/x" }, () => true);
  assert.match(other.message, /: mkdir '\/data\/a': the volume is full/);
});

Deno.test("PublishError.code is the system's name of the error", () => {
  assert.equal(new PublishError("a").code, undefined);
  assert.equal(new PublishError("a", { cause: new Error("b") }).code, undefined);
  assert.equal(new PublishError("a", { cause: Object.assign(new Error("b"), { code: "ENOSPC" }) }).code, "ENOSPC");
});
