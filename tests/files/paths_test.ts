import assert from "node:assert/strict";
import { isInside, joinPath, nameOf, parentOf, resolvePath } from "../../lib/files/paths.ts";

Deno.test("parentOf() gives the directory, down to /", () => {
  assert.deepEqual(["/a/b/c", "/a", "/"].map(parentOf), ["/a/b", "/", "/"]);
});

Deno.test("nameOf() and joinPath() take a path apart and put it together", () => {
  for (const path of ["/a/b/c", "/a"]) assert.equal(joinPath(parentOf(path), nameOf(path)), path);
});

Deno.test("resolvePath() works . and .. out, and stays below /", () => {
  const table = [
    ["/data", "a", "/data/a"],
    ["/data", "/a/./b/", "/a/b"],
    ["/data", "../../..", "/"],
    ["/", "a", "/a"],
    ["/", "", "/"],
  ] as const;
  for (const [base, path, expected] of table) assert.equal(resolvePath(base, path), expected);
});

Deno.test("isInside() compares whole names", () => {
  const table = [
    ["/data", "/data", true],
    ["/data", "/data/a/b", true],
    ["/data", "/database", false],
    ["/data", "/", false],
    ["/", "/etc", true],
    ["/", "/", true],
  ] as const;
  for (const [root, path, expected] of table) assert.equal(isInside(root, path), expected, `${root} ${path}`);
});
