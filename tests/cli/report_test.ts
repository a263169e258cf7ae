import assert from "node:assert/strict";
import { coloursOf, describeFaults, wrapText } from "../../lib/cli/report.ts";

Deno.test("wrapText() breaks at blanks only", () => {
  assert.equal(wrapText("aa bb cc", { width: 5 }), "aa bb\n    cc");
  assert.equal(wrapText("aa bb", { first: "# ", indent: "# ", width: 5 }), "# aa\n# bb");
  assert.equal(wrapText("a-long-word b", { width: 5 }), "a-long-word\n    b");
  assert.equal(wrapText(""), "");
});

Deno.test("coloursOf() has colours for a terminal alone", () => {
  assert.equal(coloursOf(true).red("a"), "\x1b[31ma\x1b[0m");
  assert.equal(coloursOf(false).red("a"), "a");
});

Deno.test("describeFaults() has one line for each fault", () => {
  const faults = [{ setting: "A", message: "a\n  b" }, { setting: "B", message: "c" }];
  assert.equal(describeFaults(faults), "configuration error: a b\nconfiguration error: c");
});
