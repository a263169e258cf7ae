/** Killed at any moment, it ends with the right files, and nobody ever sees a part of one. */
import assert from "node:assert/strict";
import { churns } from "../support/churn.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import { faultStories, rounds } from "../support/fault_story.ts";
import { eventually } from "../support/oracle.ts";
import { ReaderProcess } from "../support/reader.ts";
import { stamped } from "../support/stamped.ts";

const story = faultStories();

const ROUNDS = rounds(15);

story(`killed ${ROUNDS} times in a storm of changes, it ends with the right files each time`, async (at, random) => {
  await Deno.mkdir(at.folder, { recursive: true });
  const foreign: Record<string, string> = { "stranger.txt": stamped("stranger", 1, 500) };
  Deno.writeTextFileSync(`${at.folder}/stranger.txt`, foreign["stranger.txt"]!, { mode: 0o644 });
  const storms = churns(at, random, 4, { objects: 5 });
  const reader = new ReaderProcess(at.folder);
  for (let round = 0; round < ROUNDS; round++) {
    const storm = new AbortController();
    const changes = Promise.all(storms.map((churn) => churn.run(Infinity, storm.signal)));
    for (let kills = 1 + Math.floor(random() * 3); kills > 0; kills--) {
      const doomed = await at.start();
      await new Promise((resolve) => setTimeout(resolve, 250 + random() * 600));
      await doomed.kill9();
    }
    const stranger = `${at.folder}/squat-${round}.txt`;
    if (random() < 0.5) {
      // An object takes a stranger's file over; what it has then is the object's, and goes with it
      // By rename, for the reader
      Deno.writeTextFileSync(`${stranger}.new`, stamped("squatter", round + 1, 100), { mode: 0o644 });
      Deno.renameSync(`${stranger}.new`, stranger);
      await at.create("ConfigMap", `squat-${round}`, { data: { [`squat-${round}.txt`]: stamped("squat", 1, 50) } });
    }
    const survivor = await at.start();
    await new Promise((resolve) => setTimeout(resolve, random() * 500));
    storm.abort();
    await changes;
    await assertDiskFollows(at, { foreign }).catch((error) => {
      throw new Error(`round ${round}: ${error.message}`, { cause: error });
    });
    await survivor.kill9();
    if (random() < 0.5) await at.delete("ConfigMap", `squat-${round - 1}`).catch(() => {});
  }
  const { reads, versions, faults } = await reader.stop();
  assert.deepEqual(faults, []);
  assert.ok(
    reads > ROUNDS * 20 && versions > ROUNDS,
    `the reader saw too little: ${reads} reads, ${versions} versions`,
  );
  const changes = storms.reduce((sum, { done }) => sum + done, 0);
  console.log(`${ROUNDS} rounds, ${changes} changes, ${reads} reads, ${versions} versions, 0 faults`);
});

story("killed between any two of its steps, it leaves nothing behind", async (at, random) => {
  // The kernel's own chance to cut a write short: many files, each of some size
  const value = (version: number) => stamped("many", version, 20_000);
  const data = (version: number) =>
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`many-${index}.txt`, value(version)]));
  await at.create("ConfigMap", "many", { data: data(1) });
  const reader = new ReaderProcess(at.folder);
  const times = Math.max(5, Math.floor(ROUNDS / 3));
  for (let version = 2; version < 2 + times; version++) {
    const sidecar = await at.startReady();
    await at.change("ConfigMap", "many", { data: data(version) });
    await eventually(() => assert.ok(sidecar.running));
    await new Promise((resolve) => setTimeout(resolve, random() * 8));
    await sidecar.kill9();
  }
  await at.startReady();
  await assertDiskFollows(at);
  assert.deepEqual((await reader.stop()).faults, []);
});
