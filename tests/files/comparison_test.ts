import assert from "node:assert/strict";
import { textBody } from "../../lib/files/body.ts";
import { fileHas } from "../../lib/files/comparison.ts";
import { asUser, diskTest, tempFolder } from "../support/disk.ts";

/** Contents that differ at the edges of what is compared at once, 32 KiB. */
const TEXTS = [
  "",
  "a",
  "b",
  "x".repeat(32_768),
  `${"x".repeat(32_768)}y`,
  `${"x".repeat(32_767)}y`,
  "x".repeat(100_000),
];

Deno.test("fileHas() is true for exactly the same bytes", () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  for (const present of TEXTS) {
    Deno.writeTextFileSync(path, present);
    for (const wanted of TEXTS) {
      for (const isOurs of [true, false]) {
        assert.equal(fileHas(path, Deno.lstatSync(path), textBody(wanted), { isOurs }), present === wanted);
      }
    }
  }
});

Deno.test("fileHas() throws when the file went away meanwhile", () => {
  using folder = tempFolder();
  assert.throws(
    () => fileHas(`${folder.path}/none`, Deno.lstatSync(folder.path), textBody(""), { isOurs: true }),
    Deno.errors.NotFound,
  );
});

diskTest("users", "fileHas() reads a file of ours whose mode lets nobody read it", () => {
  using folder = tempFolder();
  Deno.chmodSync(folder.path, 0o777);
  const lib = new URL("../../lib/files/", import.meta.url);
  const { success, stdout, stderr } = asUser(
    1001,
    3000,
    `
    import { fileHas } from "${lib}comparison.ts";
    import { textBody } from "${lib}body.ts";
    const path = Deno.args[0];
    Deno.writeTextFileSync(path, "ours");
    for (const mode of [0o000, 0o040, 0o200]) {
      Deno.chmodSync(path, mode);
      const has = (text) => fileHas(path, Deno.lstatSync(path), textBody(text), { isOurs: true });
      console.log(has("ours"), has("theirs"), (Deno.lstatSync(path).mode & 0o7777) === mode);
    }
    `,
    `${folder.path}/file`,
  );
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout), "true false true\n".repeat(3));
});
