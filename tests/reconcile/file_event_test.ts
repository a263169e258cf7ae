import assert from "node:assert/strict";
import { aboutFiles, summaryOf } from "../../lib/reconcile/file_event.ts";

Deno.test("summaryOf() is the one path, or how many there are", () => {
  assert.equal(summaryOf(["/data/a.json"]), "/data/a.json");
  assert.equal(summaryOf(["/data/a.json", "/data/b.json"]), "2 files");
});

Deno.test("aboutFiles() is the one path, or how many there are and the first ten", () => {
  const paths = Array.from({ length: 11 }, (_, index) => `/data/${index}`);
  assert.deepEqual(aboutFiles(paths), { count: 11, files: paths.slice(0, 10) });
  assert.deepEqual(aboutFiles(paths.slice(0, 1)), { path: "/data/0" });
});
