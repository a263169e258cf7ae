import assert from "node:assert/strict";
import { BasicAuthError, basicAuthorization, credentialsFrom } from "../../lib/http/basic_auth.ts";

Deno.test("basicAuthorization() encodes as told", () => {
  const credentials = { username: "jürgen", password: "a:b" };
  const decode = (header: string) => Uint8Array.fromBase64(header.replace("Basic ", ""));
  assert.deepEqual(decode(basicAuthorization(credentials, "utf-8")), new TextEncoder().encode("jürgen:a:b"));
  assert.deepEqual(decode(basicAuthorization(credentials, "latin1")).slice(0, 3), Uint8Array.of(0x6a, 0xfc, 0x72));
});

Deno.test("basicAuthorization() suggests utf-8 when latin1 lacks a character", () => {
  assert.throws(() => basicAuthorization({ username: "u", password: "10€" }, "latin1"), (error) => {
    assert.ok(error instanceof BasicAuthError);
    assert.match(error.message, /REQ_BASIC_AUTH_ENCODING=utf-8/);
    assert.doesNotMatch(error.message, /€/);
    return true;
  });
});

Deno.test("credentialsFrom() gives credentials only when both are there", async () => {
  assert.deepEqual(await credentialsFrom({ username: "u", password: "p" })(), { username: "u", password: "p" });
  assert.equal(await credentialsFrom({ username: "u" })(), undefined);
  assert.equal(await credentialsFrom({ password: "p" })(), undefined);
  assert.equal(await credentialsFrom({})(), undefined);
});

Deno.test("credentialsFrom() reads files at each use, without their last newline", async () => {
  const folder = await Deno.makeTempDir();
  const [usernameFile, passwordFile] = [`${folder}/user`, `${folder}/password`];
  await Deno.writeTextFile(usernameFile, "u\n");
  await Deno.writeTextFile(passwordFile, " p \n\n");
  const credentials = credentialsFrom({ username: "other", password: "other", usernameFile, passwordFile });
  assert.deepEqual(await credentials(), { username: "u", password: " p \n" });
  await Deno.writeTextFile(passwordFile, "rotated");
  assert.deepEqual(await credentials(), { username: "u", password: "rotated" });
  await Deno.remove(folder, { recursive: true });
  await assert.rejects(credentials(), (error) => {
    assert.ok(error instanceof BasicAuthError);
    assert.ok(error.message.includes(usernameFile));
    return true;
  });
});
