import assert from "node:assert/strict";
import { BasicAuthError } from "../../lib/http/basic_auth.ts";
import { headersFromFiles } from "../../lib/http/header_files.ts";
import { tempFolder } from "../support/disk.ts";

Deno.test("headersFromFiles() reads each file at each use, and never quotes it", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/key`;
  const headers = headersFromFiles({ "X-Api-Key": path });
  for (const text of [undefined, "", "geheim\ngeheim", "gehäim"]) {
    if (text !== undefined) Deno.writeTextFileSync(path, text);
    await assert.rejects(headers(), (error) => {
      assert.ok(error instanceof BasicAuthError);
      assert.doesNotMatch(error.message, /geh/);
      return true;
    });
  }
  for (const text of ["first", "second"]) {
    Deno.writeTextFileSync(path, ` ${text}\n`);
    assert.deepEqual(await headers(), { "X-Api-Key": text });
  }
});
