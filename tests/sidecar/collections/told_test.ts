import assert from "node:assert/strict";
import { NotificationHistory, Told } from "../../../lib/sidecar/collections/told.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const TO = "POST http://localhost/reload";

Deno.test("Told has a failure since the first in a row, until one is delivered", async () => {
  const clock = new FakeClock();
  const told = new Told("dashboards", new NotificationHistory(), clock);
  const since = clock.now();
  told.attempted("webhook", TO, { text: "answered 503", outcome: "unavailable", status: 503 });
  await clock.advance(5);
  told.attempted("webhook", TO, { text: "answered 401", outcome: "refused", status: 401 });
  assert.deepEqual(told.failures, [{
    ...{ kind: "webhook", to: TO, text: "answered 401", outcome: "refused", status: 401, since },
  }]);
  told.attempted("webhook", TO, { text: "answered 200", outcome: "delivered", status: 200 });
  assert.deepEqual(told.failures, []);
});

Deno.test("Told forgets failures when the settings change", () => {
  const told = new Told("dashboards", new NotificationHistory(), new FakeClock());
  told.attempted("script", "/script", { text: "failed", outcome: "failed" });
  told.clear();
  assert.deepEqual(told.failures, []);
});

Deno.test("NotificationHistory keeps the last 50 of all collections, the newest first", async () => {
  const clock = new FakeClock();
  const history = new NotificationHistory();
  const [a, b] = [new Told("a", history, clock), new Told("b", history, clock)];
  for (let count = 0; count < 30; count++) {
    for (const told of [a, b]) {
      told.attempted("webhook", TO, { text: `answered ${count}`, outcome: "delivered" });
      told.ended("webhook", TO, { seconds: 1, files: count });
    }
    await clock.advance(1);
  }
  const kept = history.newestFirst;
  assert.equal(kept.length, 50);
  assert.deepEqual(kept.slice(0, 3).map(({ collection, files }) => [collection, files]), [["b", 29], ["a", 29], [
    "b",
    28,
  ]]);
  assert.ok(kept[0]!.at > kept[49]!.at);
});
