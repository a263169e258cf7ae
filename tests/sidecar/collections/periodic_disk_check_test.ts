import assert from "node:assert/strict";
import { checkDiskPeriodically } from "../../../lib/sidecar/collections/periodic_disk_check.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function checks(period: number) {
  const clock = new FakeClock();
  const log = keptLog();
  const stop = new AbortController();
  const healed: string[] = [];
  const state = { checks: 0 };
  const running = checkDiskPeriodically({
    diskCheck: {
      async *changedFiles() {
        yield await Promise.resolve(`/changed-${++state.checks}`);
      },
    },
    period,
    heal: (path) => (healed.push(path), path !== "/changed-2"),
    heartbeat: { expectWithin() {} },
    clock,
    log,
  }, stop.signal);
  return { clock, log, healed, state, stop: () => stop.abort(), running };
}

Deno.test("checkDiskPeriodically() heals what each check finds, until it is stopped", async () => {
  const it = checks(60);
  await it.clock.advance(59);
  assert.deepEqual(it.healed, []);
  await it.clock.advance(61);
  assert.deepEqual(it.healed, ["/changed-1", "/changed-2"]);
  assert.deepEqual(it.log.lines, ["info: somebody else changed or removed /changed-1, which will be restored"]);
  it.stop();
  await it.running;
  assert.equal(it.state.checks, 2);
});

Deno.test("checkDiskPeriodically() checks nothing with a period of 0", async () => {
  const it = checks(0);
  await it.running;
  assert.deepEqual([it.state.checks, it.clock.sleeping], [0, 0]);
});
