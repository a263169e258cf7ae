import assert from "node:assert/strict";
import {
  isLabelKey,
  isLabelValue,
  matchesSelector,
  parseSelector,
  SelectorError,
} from "../../lib/objects/selector_grammar.ts";

Deno.test("parseSelector() reads every operator of the grammar", () => {
  assert.deepEqual(parseSelector("a, !b ,c=1,d == 2,e!=3, f in (x,y), g notin ( z ) ,h>1,i<2"), [
    { key: "a", operator: "exists", values: [] },
    { key: "b", operator: "!", values: [] },
    { key: "c", operator: "=", values: ["1"] },
    { key: "d", operator: "==", values: ["2"] },
    { key: "e", operator: "!=", values: ["3"] },
    { key: "f", operator: "in", values: ["x", "y"] },
    { key: "g", operator: "notin", values: ["z"] },
    { key: "h", operator: "gt", values: ["1"] },
    { key: "i", operator: "lt", values: ["2"] },
  ]);
});

Deno.test("parseSelector() has no requirements when the text is blank", () => {
  assert.deepEqual(parseSelector(""), []);
  assert.deepEqual(parseSelector(" \t\r\n"), []);
});

Deno.test("parseSelector() takes a value that is left out for the empty one", () => {
  assert.deepEqual(parseSelector("a=,b"), [
    { key: "a", operator: "=", values: [""] },
    { key: "b", operator: "exists", values: [] },
  ]);
  assert.deepEqual(parseSelector("a in (,x)")[0]?.values, ["", "x"]);
  assert.deepEqual(parseSelector("a in (x,)")[0]?.values, ["x", ""]);
  assert.deepEqual(parseSelector("a in ()")[0]?.values, [""]);
});

Deno.test("parseSelector() takes in and notin for keys and values where they stand for one", () => {
  assert.deepEqual(parseSelector("in in (in,notin)"), [{ key: "in", operator: "in", values: ["in", "notin"] }]);
  assert.deepEqual(parseSelector("notin"), [{ key: "notin", operator: "exists", values: [] }]);
  assert.deepEqual(parseSelector("a=in"), [{ key: "a", operator: "=", values: ["in"] }]);
});

const REFUSED: Record<string, string> = {
  ",": '"," at position 1: expected a label key',
  "a,": "the end at position 3: expected a label key",
  "a,,b": '"," at position 3: expected a label key',
  "a b": '"b" at position 3: expected one of',
  "!a=b": "\"=\" at position 3: expected ',' or the end",
  "!": "the end at position 2: expected a label key",
  "=a": '"=" at position 1: expected a label key',
  "a===b": '"=" at position 4: expected a label value',
  "a in b": "\"b\" at position 6: expected '('",
  "a in (b": "the end at position 8: expected ',' or ')'",
  "a in (": "the end at position 7: expected a label value",
  "a<-1": '"-1" at position 3: is not a valid label value',
  "\u00a0a": "at position 1: is not a valid label key",
  "a in (b c)": "\"c\" at position 9: expected ',' or ')'",
  "a>b": '"b" at position 3: expected an integer',
  "a>": "the end at position 3: expected an integer",
  "a>9223372036854775808": "expected an integer",
  "-a": '"-a" at position 1: is not a valid label key',
  "x/y/z=1": '"x/y/z" at position 1: is not a valid label key',
  "a=b/c": '"b/c" at position 3: is not a valid label value',
  "a in (-)": '"-" at position 7: is not a valid label value',
  "a)": '")" at position 2: expected one of',
};
for (const [text, message] of Object.entries(REFUSED)) {
  Deno.test(`parseSelector() names the offending bit and its position when given "${text}"`, () => {
    assert.throws(() => parseSelector(text), (error) => {
      assert.ok(error instanceof SelectorError);
      assert.ok(error.message.startsWith(`label selector "${text}": `), error.message);
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  });
}

const MATCHES: [selector: string, labels: Record<string, string> | undefined, expected: boolean][] = [
  ["", undefined, true],
  ["a", undefined, false],
  ["a", { a: "" }, true],
  ["!a", undefined, true],
  ["!a", { a: "" }, false],
  ["a=1", { a: "1" }, true],
  ["a==1", { a: "2" }, false],
  ["a=", { a: "" }, true],
  ["a=", {}, false],
  ["a!=1", {}, true],
  ["a!=1", { a: "1" }, false],
  ["a in (1,2)", { a: "2" }, true],
  ["a in (1,2)", {}, false],
  ["a notin (1,2)", {}, true],
  ["a notin (1,2)", { a: "1" }, false],
  ["a>1", { a: "2" }, true],
  ["a>1", { a: "1" }, false],
  ["a>1", { a: "x" }, false],
  ["a>1", {}, false],
  ["a<10", { a: "9" }, true],
  ["a in ()", { a: "" }, true],
  ["a,b", { a: "1" }, false],
  ["a,b", { a: "1", b: "1" }, true],
  ["toString", {}, false],
];
for (const [selector, labels, expected] of MATCHES) {
  Deno.test(`matchesSelector() is ${expected} when "${selector}" meets ${JSON.stringify(labels)}`, () => {
    assert.equal(matchesSelector(parseSelector(selector), labels), expected);
  });
}

Deno.test("isLabelKey() follows the API's rules for prefix and name", () => {
  for (const key of ["a", "A_b.c-1", "example.com/a", `${"a".repeat(63)}`, `${"a".repeat(253)}/b`]) {
    assert.ok(isLabelKey(key), key);
  }
  for (
    const key of ["", "/a", "a/", "a/b/c", "Example.com/a", "-a", "a-", "a b", "a".repeat(64), `${"a".repeat(254)}/b`]
  ) {
    assert.ok(!isLabelKey(key), key);
  }
});

Deno.test("isLabelValue() follows the API's rules", () => {
  for (const value of ["", "a", "A_b.c-1", "a".repeat(63)]) assert.ok(isLabelValue(value), value);
  for (const value of ["-", "a/b", "a b", "é", "a".repeat(64)]) assert.ok(!isLabelValue(value), value);
});
