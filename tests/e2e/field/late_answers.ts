/** A webhook whose answer takes longer than REQ_TIMEOUT (row 3 of the field cases, and its kind). */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { text } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Story } from "../../support/story.ts";
import { type FastStory, fastStory } from "./fast_story.ts";

async function deliveredAll(sidecar: SidecarProcess): Promise<void> {
  await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
}

/** A sidecar with one ConfigMap that has made its first call. */
async function called(fast: FastStory, at: Story, told: Application): Promise<SidecarProcess> {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await fast.startReady({ REQ_URL: told.url, REQ_TIMEOUT: "2" });
  await eventually(() => assert.equal(told.calls.length, 1));
  return sidecar;
}

/** Seconds that pass in one second: short enough for REQ_TIMEOUT to pass while the test looks. */
const SPEED = 20;

/** The same where a call lasts for minutes. */
const QUICK = 250;

export function tellOfLateAnswers(story: AddStory): void {
  fastStory(story, "Answer after REQ_TIMEOUT counts, and there is one call", async (fast, at) => {
    await using told = new Application();
    const answer = told.hold();
    const sidecar = await called(fast, at, told);
    await fast.pass(8, undefined, SPEED);
    assert.equal(told.calls.length, 1);
    assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 1);
    answer(200);
    await deliveredAll(sidecar);
    await fast.pass(40);
    assert.equal(told.calls.length, 1);
    const warnings = sidecar.findAll("REQ_TIMEOUT").filter(({ level }) => level === "WARN");
    assert.equal(warnings.length, 1, warnings.map(({ text }) => text).join("\n"));
  });

  fastStory(story, "Changes during a late call wait for its end", async (fast, at) => {
    await using told = new Application();
    const answer = told.hold();
    const sidecar = await called(fast, at, told);
    await fast.pass(6, undefined, SPEED);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    // Files do not wait
    await eventually(() => assert.equal(text(`${at.folder}/a.txt`), "2"), { timeout: 3000 });
    await fast.pass(20, undefined, SPEED);
    assert.equal(told.calls.length, 1);
    told.respond = () => new Response();
    answer(200);
    await eventually(() => assert.equal(told.calls.length, 2), { timeout: 3000 });
    await deliveredAll(sidecar);
    assert.equal(told.mostOpen, 1);
  });

  fastStory(story, "Answer that is late and 500 is a failed call", async (fast, at) => {
    await using told = new Application();
    const answer = told.hold();
    const sidecar = await called(fast, at, told);
    await fast.pass(8, undefined, SPEED);
    assert.equal(told.calls.length, 1);
    told.respond = () => new Response();
    answer(500);
    await sidecar.logged(/\b500\b/);
    await fast.pass(3, undefined, SPEED);
    assert.equal(told.calls.length, 1);
    await fast.pass(20, () => told.calls.length > 1, SPEED);
    await deliveredAll(sidecar);
    assert.equal(told.calls.length, 2);
    assert.equal(told.mostOpen, 1);
  });

  fastStory(story, "Webhook that never answers is called again after minutes", async (fast, at) => {
    await using told = new Application();
    told.hold();
    const sidecar = await called(fast, at, told);
    // Open for five minutes, and five minutes until the next try
    await fast.pass(450, undefined, QUICK);
    assert.equal(told.calls.length, 1);
    told.respond = () => new Response();
    await fast.pass(300, () => told.calls.length === 2, QUICK);
    assert.equal(told.calls.length, 2);
    await deliveredAll(sidecar);
  });

  fastStory(story, "SIGTERM ends it while an answer is late", async (fast, at) => {
    await using told = new Application();
    told.hold();
    const sidecar = await called(fast, at, told);
    await fast.pass(5, undefined, SPEED);
    const { code, ms } = await sidecar.stop();
    assert.equal(code, 0);
    assert.ok(ms < 2000, `it took ${ms} ms`);
  });
}
