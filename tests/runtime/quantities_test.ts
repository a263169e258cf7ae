import assert from "node:assert/strict";
import { count, counted, duration, lasting, relativeTime, size } from "../../lib/runtime/quantities.ts";

const NOW = "2026-11-25T12:00:00Z";
const at = (seconds: number) => new Date(Date.parse(NOW) + seconds * 1000).toISOString();

Deno.test("duration() has the largest unit of which there are two", () => {
  const seconds = [0.012, 1.25, 59, 119, 120, 7199, 7200, 172_799, 172_800];
  assert.deepEqual(seconds.map(duration), [
    "12 ms",
    "1.3 s",
    "59 s",
    "119 s",
    "2 min",
    "119 min",
    "2 h",
    "47 h",
    "2 d",
  ]);
});

Deno.test("relativeTime() looks back and ahead", () => {
  assert.deepEqual([-240, 0, 12].map((seconds) => relativeTime(at(seconds), NOW)), ["4 min ago", "now", "in 12 s"]);
  assert.equal(relativeTime("nonsense", NOW), "nonsense");
});

Deno.test("lasting() says for how long", () => {
  assert.deepEqual([lasting(at(-240), NOW), lasting(at(0), NOW), lasting("x", NOW)], [
    "for 4 min",
    "for 1 s",
    "since x",
  ]);
});

Deno.test("size() and counted() shorten numbers", () => {
  assert.deepEqual([263, 41_234, 1_200_000_000].map(size), ["263 B", "41.2 kB", "1.2 GB"]);
  assert.deepEqual([0, 999, 999_600, 5e15].map(size), ["0 B", "999 B", "1 MB", "5000 TB"]);
  assert.deepEqual([999, 1000, 1_234_567].map(count), ["999", "1,000", "1,234,567"]);
  assert.deepEqual([counted(1, "file"), counted(1234, "file")], ["1 file", "1,234 files"]);
});
