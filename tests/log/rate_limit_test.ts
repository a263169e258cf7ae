import assert from "node:assert/strict";
import { limitRate } from "../../lib/log/rate_limit.ts";
import { keptLog } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";

function limited() {
  const clock = new FakeClock();
  const kept = keptLog();
  return { clock, lines: kept.lines, log: limitRate(kept, clock) };
}

Deno.test("limitRate() leaves out lines of one kind, and says how many", async () => {
  const { clock, lines, log } = limited();
  for (let index = 0; index < 1500; index++) log.warn(`/data/${index} is claimed by ConfigMap a/${index}`);
  log.info("of another kind");
  assert.equal(lines.length, 1001);
  assert.equal(lines.at(-1), "info: of another kind");
  await clock.advance(10);
  assert.equal(
    lines.at(-1),
    "warn: 500 more lines of this kind were left out, the last one: /data/1499 is claimed by ConfigMap a/1499",
  );
  await clock.advance(100);
  assert.equal(lines.length, 1002);
});

Deno.test("limitRate() lets ten lines of a kind through each second", async () => {
  const { clock, lines, log } = limited();
  for (let index = 0; index < 1100; index++) log.info(`wrote "${index}"`);
  await clock.advance(1);
  for (let index = 0; index < 100; index++) log.info(`wrote "${index}"`);
  assert.equal(lines.length, 1010);
});

Deno.test("flush() says at once what was left out", () => {
  const { lines, log } = limited();
  for (let index = 0; index < 1001; index++) log.error("the same");
  log.flush();
  log.flush();
  assert.deepEqual(lines.slice(1000), ["error: 1 more lines of this kind were left out, the last one: the same"]);
});

Deno.test("limitRate() holds lines of ever new kinds to the limit of one, until others are forgotten", async () => {
  const { clock, lines, log } = limited();
  const word = (index: number) => [...String(index)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  for (let index = 0; index < 5000; index++) log.info(word(index));
  assert.equal(lines.length, 1200);
  await clock.advance(1000);
  const before = lines.length;
  for (let index = 0; index < 100; index++) log.info(`again ${word(index)}`);
  assert.equal(lines.length, before + 100);
});
