import assert from "node:assert/strict";
import { ApiContact } from "../../lib/sidecar/api_contact.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A contact whose questions are answered, or not. */
function contact(threshold: number) {
  const clock = new FakeClock();
  const state = { isAway: false, asked: [] as number[] };
  const it = new ApiContact({
    threshold,
    async ask(signal) {
      state.asked.push(clock.now() / 1000);
      if (state.isAway) await clock.sleep(Infinity, signal);
      it.answered();
    },
    clock,
  });
  const stop = new AbortController();
  const running = it.run(stop.signal);
  return {
    it,
    clock,
    state,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

Deno.test("lost says for how long the API server has been silent, from the threshold on", async () => {
  await using at = contact(60);
  at.state.isAway = true;
  await at.clock.advance(60);
  assert.equal(at.it.lost, undefined);
  await at.clock.advance(1);
  assert.equal(at.it.lost, "no answer from the API server for 61 s (K8S_CONTACT_THRESHOLD_SECONDS=60)");
  at.it.answered();
  assert.equal(at.it.lost, undefined);
});

Deno.test("run() asks an API server that is silent, so that an idle sidecar is never lost", async () => {
  await using at = contact(60);
  for (let second = 0; second < 300; second++) {
    await at.clock.advance(1);
    assert.equal(at.it.lost, undefined);
  }
  assert.deepEqual(at.state.asked.slice(0, 3), [30, 60, 90]);
});

Deno.test("run() asks nothing while the API server sends something", async () => {
  await using at = contact(60);
  for (let second = 0; second < 300; second += 20) {
    at.it.answered();
    await at.clock.advance(20);
  }
  assert.deepEqual(at.state.asked, []);
});

Deno.test("run() goes on asking an API server that is away, and notices when it is back", async () => {
  await using at = contact(60);
  at.state.isAway = true;
  await at.clock.advance(200);
  assert.notEqual(at.it.lost, undefined);
  at.state.isAway = false;
  await at.clock.advance(45);
  assert.equal(at.it.lost, undefined);
});
