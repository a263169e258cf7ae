/** Answers of the API server that stop in the middle: whoever asked gives up in time, and asks again. */
import assert from "node:assert/strict";
import { ApiFront, type SeenRequest } from "../support/api_front.ts";
import { exists, text } from "../support/disk.ts";
import { EndlessAnswers } from "../support/endless_answers.ts";
import { fastClock, withFastClock } from "../support/fast_clock.ts";
import { eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";
import type { WallClock } from "../support/wall_clock.ts";

const story = stories();

/** Seconds that pass for the sidecar until it must have given up and asked again. */
const PATIENCE = 100;

interface Scene {
  at: Story;
  clock: WallClock;
  front: ApiFront;
  answers: EndlessAnswers;
  start(settings?: Settings): Promise<SidecarProcess>;
}

function scene(title: string, run: (scene: Scene) => Promise<void>): void {
  const { name, ignore } = withFastClock(title);
  story(name, async (at) => {
    using clock = fastClock();
    await using front = await ApiFront.start(at.controlPlane);
    using answers = new EndlessAnswers();
    const address = { ...await at.serviceAccount(), ...inClusterAddress(front.url), RESOURCE: "configmap" };
    const start = (settings: Settings = {}) => at.start({ ...address, ...settings }, { through: clock.through });
    await run({ at, clock, front, answers, start });
  }, { ignore });
}

/** Answers the first of these requests in the API server's place. Returns how many came. */
function onFirst({ front }: Scene, matches: (request: SeenRequest) => boolean, answer: () => Response): () => number {
  let count = 0;
  front.answer = (request) => matches(request) && ++count === 1 ? answer() : undefined;
  return () => count;
}

function isPage({ isWatch, path }: SeenRequest): boolean {
  return !isWatch && path.includes("limit=500");
}

async function assertAlive(sidecar: SidecarProcess): Promise<void> {
  const { status, text } = await sidecar.health("/livez");
  assert.equal(status, 200, text);
}

/** Wakes a process that serves nothing: it looks at its timers when it goes on. */
async function nudge(sidecar: SidecarProcess): Promise<void> {
  for (const signal of ["SIGSTOP", "SIGCONT"] as const) {
    if (sidecar.running) sidecar.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const HEAD = '{"kind":"ConfigMapL';

scene("List that stops is listed again", async (scene) => {
  const { at, clock, answers } = scene;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const lists = onFirst(scene, isPage, () => answers.stopped(HEAD));
  const sidecar = await scene.start();
  await eventually(() => assert.equal(lists(), 1));
  await clock.fastForward(PATIENCE, () => assertAlive(sidecar), () => exists(`${at.folder}/a.txt`));
  await sidecar.ready();
});

scene("METHOD=LIST goes on after a list that stopped", async (scene) => {
  const { at, clock, answers } = scene;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const lists = onFirst(scene, isPage, () => answers.stopped(HEAD));
  const sidecar = await scene.start({ METHOD: "LIST" });
  await eventually(() => assert.equal(lists(), 1));
  await clock.fastForward(PATIENCE, () => nudge(sidecar), () => !sidecar.running);
  assert.equal((await sidecar.exited(1000)).code, 0);
  assert.equal(text(`${at.folder}/a.txt`), "1");
});

scene("Watch is resumed when an answer before it stops", async (scene) => {
  const { at, clock, front, answers } = scene;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await scene.start();
  await sidecar.ready();
  await front.watching();
  // Whatever is asked first after the cut: a list of one for the version, or the watch itself
  const asked = onFirst(scene, () => true, () => answers.stopped('{"kind"'));
  front.cut();
  await eventually(() => assert.ok(asked() > 0));
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  const follows = () => text(`${at.folder}/a.txt`) === "2";
  await clock.fastForward(PATIENCE, () => assertAlive(sidecar), follows);
  assert.ok(follows());
});

scene("Object that trickles in is given up and read again", async (scene) => {
  const { at, clock, answers } = scene;
  await at.create("ConfigMap", "a", { data: { "same.txt": "a's" } });
  await at.create("ConfigMap", "b", { data: { "same.txt": "b's" } });
  const sidecar = await scene.start();
  await sidecar.ready();
  const isRead = ({ method, isWatch, path }: SeenRequest) =>
    method === "GET" && !isWatch && (path.endsWith("/configmaps/b") || path.includes("metadata.name%3Db"));
  // A byte every 5 s: no silence is ever long
  const reads = onFirst(scene, isRead, () => answers.repeating('{"a":"', 500, () => "x"));
  await at.delete("ConfigMap", "a");
  await eventually(() => assert.equal(reads(), 1));
  const path = `${at.folder}/same.txt`;
  await clock.fastForward(PATIENCE, () => assertAlive(sidecar), () => exists(path) && text(path) === "b's");
  assert.equal(text(path), "b's");
});

scene("Finalizer's patch that stops holds up no file", async (scene) => {
  const { at, clock, answers } = scene;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const patches = onFirst(scene, ({ method }) => method === "PATCH", () => answers.stopped(HEAD));
  const sidecar = await scene.start({ FINALIZERS: "true" });
  await eventually(() => assert.equal(patches(), 1));
  await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
  const areThere = () => exists(`${at.folder}/a.txt`) && exists(`${at.folder}/b.txt`);
  await clock.fastForward(PATIENCE, () => assertAlive(sidecar), areThere);
  assert.ok(areThere());
  await sidecar.ready();
});

scene("Event whose answer stops holds up no later one", async (scene) => {
  const { at, clock, answers } = scene;
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const isEvent = ({ method, path }: SeenRequest) => method !== "GET" && path.includes("/events");
  const events = onFirst(scene, isEvent, () => answers.stopped(HEAD));
  const sidecar = await scene.start({ EVENT_LOGGING: "true" });
  await sidecar.ready();
  await eventually(() => assert.equal(events(), 1));
  await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
  await eventually(() => assert.ok(exists(`${at.folder}/b.txt`)), { timeout: 5000 });
  await clock.fastForward(PATIENCE, () => assertAlive(sidecar), () => events() > 1);
  assert.ok(events() > 1, "no other Event was ever posted");
});
