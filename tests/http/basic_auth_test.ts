import assert from "node:assert/strict";
import { tempFolder } from "../support/disk.ts";
import { keptLog } from "../support/api_gateway.ts";
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
  assert.deepEqual(await credentialsFrom({ username: "u", password: "p" }, keptLog())(), {
    username: "u",
    password: "p",
  });
  assert.equal(await credentialsFrom({ username: "u" }, keptLog())(), undefined);
  assert.equal(await credentialsFrom({ password: "p" }, keptLog())(), undefined);
  assert.equal(await credentialsFrom({}, keptLog())(), undefined);
});

Deno.test("credentialsFrom() reads files at each use, without their last newline", async () => {
  const folder = await Deno.makeTempDir();
  const [usernameFile, passwordFile] = [`${folder}/user`, `${folder}/password`];
  await Deno.writeTextFile(usernameFile, "u\n");
  await Deno.writeTextFile(passwordFile, " p \n\n");
  const credentials = credentialsFrom({ usernameFile, passwordFile }, keptLog());
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

Deno.test("credentialsFrom() uses the variable while a file is empty", async () => {
  using folder = tempFolder();
  const passwordFile = `${folder.path}/password`;
  await Deno.writeTextFile(passwordFile, "\n");
  const log = keptLog();
  const credentials = credentialsFrom({ username: "u", password: "geheim", passwordFile }, log);
  assert.equal((await credentials())?.password, "geheim");
  assert.deepEqual(log.lines, [`warn: The credentials file ${passwordFile} is empty; REQ_PASSWORD is used instead`]);
  await Deno.writeTextFile(passwordFile, "rotated");
  assert.equal((await credentials())?.password, "rotated");
});

Deno.test("credentialsFrom() uses the variable while a file cannot be read, and warns once until it can", async () => {
  using folder = tempFolder();
  const passwordFile = `${folder.path}/password`;
  const log = keptLog();
  const credentials = credentialsFrom({ username: "u", password: "geheim", passwordFile }, log);
  for (let use = 0; use < 3; use++) assert.deepEqual(await credentials(), { username: "u", password: "geheim" });
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0]!, new RegExp(`^warn: .*${passwordFile} cannot be read: .*; REQ_PASSWORD is used instead$`));
  await Deno.writeTextFile(passwordFile, "from the file");
  assert.equal((await credentials())?.password, "from the file");
  await Deno.remove(passwordFile);
  assert.equal((await credentials())?.password, "geheim");
  assert.deepEqual(log.lines.map((line) => line.slice(0, 5)), ["warn:", "info:", "warn:"]);
  assert.equal(log.lines[1], `info: ${passwordFile} can be read again and is used instead of REQ_PASSWORD`);
  assert.doesNotMatch(log.lines.join("\n"), /geheim/);
});
