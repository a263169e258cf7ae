import assert from "node:assert/strict";
import { linkTo, matcher, readQuery } from "../../../lib/serve/page/query.ts";

const read = (query: string) => readQuery(new URLSearchParams(query));

Deno.test("readQuery() reads filter, page and live, and ignores the rest", () => {
  assert.deepEqual(read(""), { filter: "", page: 1, live: false });
  assert.deepEqual(read("q=+cpu+&page=3&live&x=1"), { filter: "cpu", page: 3, live: true });
});

for (const page of ["0", "-1", "1.5", "x", "1e3", "99999999999", ""]) {
  Deno.test(`readQuery() takes page=${page} as the first`, () => {
    assert.equal(read(`page=${page}`).page, 1);
  });
}

Deno.test("readQuery() bounds the filter", () => {
  assert.equal(read(`q=${"x".repeat(5000)}`).filter.length, 200);
});

Deno.test("linkTo() writes what readQuery() reads", () => {
  for (const query of ["", "live", "q=%22%3Cb%3E%26%23&page=2&live", "q=%E2%80%AE", "q=a%20b"]) {
    assert.equal(linkTo(read(query)), `?${query}`);
  }
  assert.equal(linkTo({ filter: "\ud800", page: 1, live: false }), "?q=%EF%BF%BD");
});

Deno.test("matcher() wants each word, in upper or lower case, in any of the texts", () => {
  const texts = ["/tmp/Team A/cpu.json", undefined, "monitoring/configmap/team-a"];
  for (const filter of ["", "CPU", "team a/cpu", "configmap cpu", "TEAM-A"]) assert.ok(matcher(filter)(texts), filter);
  for (const filter of ["cpu disk", "undefined", "json/monitoring"]) assert.ok(!matcher(filter)(texts), filter);
});

Deno.test("matcher() finds what the page shows of a control character, and the character itself", () => {
  for (const filter of ["\\u202e", "\u202e", "p\\u0000"]) assert.ok(matcher(filter)(["gnp\u202e p\0"]), filter);
});
