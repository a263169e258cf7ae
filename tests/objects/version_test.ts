import assert from "node:assert/strict";
import { isOlderVersion } from "../../lib/objects/version.ts";

Deno.test("isOlderVersion() compares numbers of any length, and says nothing of versions that are none", () => {
  const cases: [a: string, b: string, older: boolean][] = [
    ["1", "2", true],
    ["2", "1", false],
    ["2", "2", false],
    ["9", "10", true],
    ["18446744073709551615", "18446744073709551616", true],
    ["18446744073709551616", "18446744073709551615", false],
    ["007", "8", true],
    ["a", "b", false],
    ["1", "b", false],
    ["", "1", false],
    ["-1", "1", false],
    ["1.5", "2", false],
  ];
  for (const [a, b, older] of cases) assert.equal(isOlderVersion(a, b), older, `${a} ${b}`);
});
