import assert from "node:assert/strict";
import { authorizationForUrls, onlyToOrigin } from "../../lib/downloads/url_credentials.ts";
import { NetrcFile } from "../../lib/http/netrc.ts";
import { tempFolder } from "../support/disk.ts";

Deno.test("authorizationForUrls() prefers user info to the entry in NETRC", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/netrc`;
  Deno.writeTextFileSync(path, "machine a.example login n password geheim\n");
  const authorizationFor = authorizationForUrls({
    netrc: new NetrcFile(path, { info() {}, warn() {} }),
    encoding: "latin1",
  });
  assert.equal(await authorizationFor(new URL("https://u:p@a.example/")), `Basic ${btoa("u:p")}`);
  assert.equal(await authorizationFor(new URL("https://a.example/")), `Basic ${btoa("n:geheim")}`);
  assert.equal(await authorizationFor(new URL("https://b.example/")), undefined);
});

Deno.test("onlyToOrigin() sends nothing to another scheme, host or port", () => {
  const header = onlyToOrigin(new URL("https://a.example/x"), "Basic x");
  assert.equal(header(new URL("https://a.example/y")), "Basic x");
  for (const other of ["http://a.example/x", "https://b.example/x", "https://a.example:8443/x"]) {
    assert.equal(header(new URL(other)), undefined);
  }
});
