import assert from "node:assert/strict";
import { lasting, relativeTime } from "../../../lib/serve/page/times.ts";

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
