import assert from "node:assert/strict";
import { Html, markup, path, shortened } from "../../../lib/serve/page/markup.ts";

Deno.test("markup`` escapes values, in texts and attributes", () => {
  const name = `<b title="x" id='y'>&amp;`;
  const safe = "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;";
  assert.equal(markup`<i title="${name}">${name}</i>`.text, `<i title="${safe}">${safe}</i>`);
});

Deno.test("markup`` shows control characters and changes of direction", () => {
  assert.equal(markup`${"a\0b\nc\u202ed\u2066"}`.text, "a\\u0000b\\u000ac\\u202ed\\u2066");
});

Deno.test("markup`` keeps HTML, joins lists, and leaves out what is not there", () => {
  assert.equal(
    markup`[${["<", markup`<b>${1}</b>`, undefined, false]}${new Html("<br>")}${0}]`.text,
    "[&lt;<b>1</b><br>0]",
  );
});

Deno.test("shortened() cuts the middle of long texts only", () => {
  assert.equal(shortened("x".repeat(1000)), "x".repeat(1000));
  assert.equal(shortened(`${"a".repeat(5000)}.json`), `${"a".repeat(500)} … 4005 characters … ${"a".repeat(495)}.json`);
});

Deno.test("path() can break after slashes", () => {
  assert.equal(path("/a&b/c").text, "/<wbr>a&amp;b/<wbr>c");
});
