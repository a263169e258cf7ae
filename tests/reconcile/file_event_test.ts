import assert from "node:assert/strict";
import { listOf, summaryOf } from "../../lib/reconcile/file_event.ts";

Deno.test("summaryOf() is the one path, or how many there are", () => {
  assert.equal(summaryOf(["/data/a.json"]), "/data/a.json");
  assert.equal(summaryOf(["/data/a.json", "/data/b.json"]), "2 files");
});

Deno.test("listOf() names the first ten of several paths, and none when the summary has the only one", () => {
  const paths = Array.from({ length: 11 }, (_, index) => `/data/${index}`);
  assert.deepEqual(listOf(paths), { files: paths.slice(0, 10) });
  assert.deepEqual(listOf(paths.slice(0, 1)), {});
});
