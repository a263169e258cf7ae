import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { assignmentOf, Calendar, objectOf, settingOf, withoutQueries } from "../../../lib/sidecar/status/words.ts";

/** [text, the same without queries and credentials] */
const TEXTS: [string, string][] = [
  ["GET http://a.example/x?token=1 failed", "GET http://a.example/x failed"],
  ["https://user:p%40ss@a.example:81/x", "https://a.example:81/x"],
  ["https://user:pass@a.example/x?a=b#c: 404", "https://a.example/x: 404"],
  ["http://a.example?key=1", "http://a.example"],
  ["http://u:p@ss@a.example/", "http://a.example/"],
  ['"http://[::1]:80/x?y" and http://b/?z', '"http://[::1]:80/x" and http://b/'],
  ["http://a/x: refused", "http://a/x: refused"],
  ["http://a/x?b='c'&d=e:f, next", "http://a/x, next"],
  ["why? because", "why? because"],
];

for (const [text, shown] of TEXTS) {
  Deno.test(`withoutQueries() makes ${JSON.stringify(shown)}`, () => assert.equal(withoutQueries(text), shown));
}

Deno.test("objectOf() writes an object as RESOURCE_NAME has it", () => {
  assert.equal(objectOf("Secret/grafana/a"), "grafana/secret/a");
});

Deno.test("settingOf() names a setting as the collection's configuration does", () => {
  const [own] = parseConfig({ LABEL: "a", FOLDER: "/f" }).config.collections;
  const ofFile = { ...own!, name: "dashboards" };
  assert.deepEqual([settingOf(own!, "REQ_URL"), settingOf(ofFile, "REQ_URL")], ["REQ_URL", "notify.webhook.url"]);
  assert.equal(assignmentOf(own!, "COLLISIONS", "newest"), "COLLISIONS=newest");
  assert.equal(assignmentOf(ofFile, "COLLISIONS", "newest"), "collisions: newest");
});

Deno.test("Calendar.at() turns times of the clock into RFC 3339", () => {
  const calendar = new Calendar({ now: () => 5000 }, () => Date.parse("2026-11-25T12:00:00.900Z"));
  assert.equal(calendar.at(0), "2026-11-25T11:59:55Z");
  assert.equal(calendar.at(undefined), undefined);
});
