import assert from "node:assert/strict";
import { authorizationFrom } from "../../lib/http/authorization.ts";
import { BasicAuthError, credentialsFrom } from "../../lib/http/basic_auth.ts";
import { NetrcFile } from "../../lib/http/netrc.ts";
import { keptLog } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";

Deno.test("authorizationFrom() prefers token, credentials, user info, netrc, in this order", async () => {
  using folder = tempFolder();
  const tokenFile = `${folder.path}/token`;
  Deno.writeTextFileSync(tokenFile, " abc.def\n");
  Deno.writeTextFileSync(`${folder.path}/netrc`, "machine h login n password p");
  const netrc = new NetrcFile(`${folder.path}/netrc`, keptLog());
  const credentials = credentialsFrom({ username: "u", password: "p" }, keptLog());
  const none = credentialsFrom({}, keptLog());
  const encoding = "latin1";
  const basic = (pair: string) => `Basic ${btoa(pair)}`;
  const [plain, withInfo] = [new URL("http://h/"), new URL("http://i%40:100%@h/")];
  assert.equal(await authorizationFrom({ tokenFile, credentials, netrc, encoding })(withInfo), "Bearer abc.def");
  assert.equal(await authorizationFrom({ token: "a", tokenFile, encoding })(plain), "Bearer abc.def");
  assert.equal(await authorizationFrom({ token: "a", credentials, encoding })(plain), "Bearer a");
  assert.equal(await authorizationFrom({ credentials, netrc, encoding })(withInfo), basic("u:p"));
  assert.equal(await authorizationFrom({ credentials: none, netrc, encoding })(withInfo), basic("i@:100%"));
  assert.equal(await authorizationFrom({ credentials: none, netrc, encoding })(plain), basic("n:p"));
  assert.equal(await authorizationFrom({ encoding })(plain), undefined);
});

Deno.test("authorizationFrom() reads the token at each use, and never quotes it", async () => {
  using folder = tempFolder();
  const tokenFile = `${folder.path}/token`;
  const authorization = authorizationFrom({ tokenFile, encoding: "latin1" });
  const url = new URL("http://h/");
  for (const text of [undefined, "", "\n", "geheim\ngeheim", "gehäim"]) {
    if (text !== undefined) Deno.writeTextFileSync(tokenFile, text);
    await assert.rejects(authorization(url), (error) => {
      assert.ok(error instanceof BasicAuthError);
      assert.doesNotMatch(error.message, /geh/);
      return true;
    });
  }
  Deno.writeTextFileSync(tokenFile, "first");
  assert.equal(await authorization(url), "Bearer first");
  Deno.writeTextFileSync(tokenFile, "second");
  assert.equal(await authorization(url), "Bearer second");
});
