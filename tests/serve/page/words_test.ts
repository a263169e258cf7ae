import assert from "node:assert/strict";
import { count, counted, duration, lasting, relativeTime, size } from "../../../lib/serve/page/words.ts";

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

const NOW = "2026-11-25T14:06:31Z";

Deno.test("relativeTime() has the absolute time for machines and as a tooltip", () => {
  const at = "2026-11-25T14:02:30.5Z";
  assert.equal(
    relativeTime(at, NOW).text,
    `<time datetime="${at}" title="2026-11-25 14:02:30 UTC">4 min ago</time>`,
  );
});

Deno.test("relativeTime() speaks of now and of the future, and shows what is no time", () => {
  const words = (at: string) => relativeTime(at, NOW).text.replace(/<[^>]*>/g, "");
  assert.equal(words("2026-11-25T14:06:30.9Z"), "now");
  assert.equal(words("2026-11-25T14:07:01Z"), "in 30 s");
  assert.equal(words("<soon>"), "&lt;soon&gt;");
});

Deno.test("lasting() says for how long", () => {
  const words = (since: string) => lasting(since, NOW).text.replace(/<[^>]*>/g, "");
  assert.deepEqual([words("2026-11-25T12:00:00Z"), words(NOW), words("x")], ["for 2 h", "for 1 s", "since x"]);
});
