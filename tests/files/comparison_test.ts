import assert from "node:assert/strict";
import { textBody } from "../../lib/files/body.ts";
import { fileHas } from "../../lib/files/comparison.ts";
import { tempFolder } from "../support/disk.ts";

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
