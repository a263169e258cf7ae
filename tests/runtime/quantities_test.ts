import assert from "node:assert/strict";
import { count, counted, duration, lasting, relativeTime, size } from "../../lib/runtime/quantities.ts";

Deno.test("duration() uses the largest unit of which there are two", () => {
  const words = [0.0004, 0.0123, 1, 1.34, 12, 119, 120, 7199, 7200, 172_799, 172_800, 40 * 86_400].map(duration);
  const expected = ["0 ms", "12 ms", "1 s", "1.3 s", "12 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d", "40 d"];
  assert.deepEqual(words, expected);
});

Deno.test("size() has at most one decimal and never 1000", () => {
  const words = [0, 999, 1000, 41_249, 99_960, 999_499, 999_600, 1_240_000, 3e9, 5e15].map(size);
  const expected = ["0 B", "999 B", "1 kB", "41.2 kB", "100 kB", "999 kB", "1 MB", "1.2 MB", "3 GB", "5000 TB"];
  assert.deepEqual(words, expected);
});

Deno.test("count() separates thousands", () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
  assert.deepEqual([counted(1, "problem"), counted(1200, "problem")], ["1 problem", "1,200 problems"]);
});

const NOW = "2026-11-25T12:00:00Z";
const at = (seconds: number) => new Date(Date.parse(NOW) + seconds * 1000).toISOString();

Deno.test("relativeTime() looks back and ahead", () => {
  assert.deepEqual([-240, 0, 12].map((seconds) => relativeTime(at(seconds), NOW)), ["4 min ago", "now", "in 12 s"]);
  assert.equal(relativeTime("nonsense", NOW), "nonsense");
});

Deno.test("lasting() says for how long", () => {
  const words = [at(-240), at(0), "nonsense"].map((since) => lasting(since, NOW));
  assert.deepEqual(words, ["for 4 min", "for 1 s", "since nonsense"]);
});
