/** Where reconciler, queue, readiness, removals and finalizers meet: nothing is lost, hangs or lies. */
import assert from "node:assert/strict";
import { ApiFront, type SeenRequest } from "../support/api_front.ts";
import type { User } from "../support/control_plane.ts";
import { exists, readOnly, smallDisk, text, where } from "../support/disk.ts";
import { EndlessAnswers } from "../support/endless_answers.ts";
import { fastClock, withFastClock } from "../support/fast_clock.ts";
import { freePort } from "../support/free_port.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess, StartOptions } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";

const READER: User = { name: "reader", token: "reader-token" };

/** What a change may take that nothing holds up, in real time. */
const AT_ONCE = { timeout: 5000 };

const story = stories({ users: [READER] });

/** A story that the machine may not allow. */
function storyWhere({ name, ignore }: { name: string; ignore: boolean }, run: (at: Story) => Promise<void>): void {
  story(name, run, { ignore });
}

function bothOf(title: string): { name: string; ignore: boolean } {
  const [clock, disk] = [withFastClock(title), where("mounts", title)];
  return clock.ignore ? clock : disk;
}

async function startBehind(
  at: Story,
  front: ApiFront,
  settings: Settings = {},
  options: StartOptions = {},
): Promise<SidecarProcess> {
  return await at.startReady({ ...await at.serviceAccount(), ...inClusterAddress(front.url), ...settings }, options);
}

/** Whether a request reads one ConfigMap. */
function reads({ method, isWatch, path }: SeenRequest, name: string): boolean {
  if (method !== "GET" || isWatch) return false;
  return path.endsWith(`/configmaps/${name}`) || path.includes(`metadata.name%3D${name}`);
}

async function assertAlive(sidecar: SidecarProcess): Promise<void> {
  const { status, text } = await sidecar.health("/livez");
  assert.equal(status, 200, text);
}

storyWhere(where("mounts", "Secrets never listed keep their files when an unlink fails"), async (at) => {
  await at.create("ConfigMap", "goes", { data: { "goes.txt": "1" } });
  await at.create("ConfigMap", "stays", { data: { "stays.txt": "1" } });
  await at.create("Secret", "secret", { data: { "secret.txt": "1" } });
  // The record on disk belongs to one selection: both runs have the same
  const settings = { NAMESPACE: at.namespace };
  await (await at.startReady(settings)).kill9();
  await at.allow(READER.name, { resources: ["configmaps"] });
  const sidecar = await at.start({ ...settings, ...await at.serviceAccount(READER.token) });
  await sidecar.logged(/not allowed to (list|watch) secrets/);
  await at.change("ConfigMap", "stays", { data: { "stays.txt": "2" } });
  await eventually(() => assertFolderEquals(at.folder, { "goes.txt": "1", "stays.txt": "2", "secret.txt": "1" }));

  const hold = readOnly(at.folder);
  try {
    await at.delete("ConfigMap", "goes");
    await sidecar.logged(/cannot remove .*goes\.txt/);
  } finally {
    hold[Symbol.dispose]();
  }
  await eventually(() => assert.ok(!exists(`${at.folder}/goes.txt`)), { timeout: 35_000 });
  await at.change("ConfigMap", "stays", { data: { "stays.txt": "3" } });
  await eventually(() => assertFolderEquals(at.folder, { "stays.txt": "3", "secret.txt": "1" }));
});

storyWhere(where("mounts", "Ready when an object too big for the disk is deleted"), async (at) => {
  using disk = smallDisk(300 * 1024);
  const folder = `${disk.path}/files`;
  await at.create("ConfigMap", "big", { data: { "big.txt": "x".repeat(500_000) } });
  await at.create("ConfigMap", "small", { data: { "small.txt": "1" } });
  const sidecar = await at.start({ FOLDER: folder });
  await sidecar.logged(/cannot write .*big\.txt: .*the volume is full/);
  await eventually(() => assert.equal(text(`${folder}/small.txt`), "1"));
  assert.equal((await sidecar.health("/readyz")).status, 503);
  await at.delete("ConfigMap", "big");
  await eventually(async () => assert.equal((await sidecar.health("/readyz")).status, 200), AT_ONCE);
  await sidecar.kill9();
});

storyWhere(withFastClock("Heir's file comes though its first answer stopped"), async (at) => {
  using clock = fastClock();
  await using front = await ApiFront.start(at.controlPlane);
  using answers = new EndlessAnswers();
  await at.create("ConfigMap", "a", { data: { "same.txt": "a's" } });
  await at.create("ConfigMap", "b", { data: { "same.txt": "b's" } });
  await at.create("ConfigMap", "c", { data: { "c.txt": "1" } });
  const sidecar = await startBehind(at, front, {}, { through: clock.through });
  let stopped = false;
  front.answer = (request) => {
    if (stopped || !reads(request, "b")) return undefined;
    stopped = true;
    return answers.stopped('{"kind":"ConfigMap",');
  };
  await at.delete("ConfigMap", "a");
  await eventually(() => assert.ok(stopped, "nobody read the heir"));
  await at.change("ConfigMap", "c", { data: { "c.txt": "2" } });
  await at.create("ConfigMap", "d", { data: { "d.txt": "1" } });
  await eventually(() => assert.equal(text(`${at.folder}/c.txt`) + text(`${at.folder}/d.txt`), "21"), AT_ONCE);

  const path = `${at.folder}/same.txt`;
  await clock.fastForward(90, () => assertAlive(sidecar), () => exists(path) && text(path) === "b's");
  assertFolderEquals(at.folder, { "same.txt": "b's", "c.txt": "2", "d.txt": "1" });
});

/** Deletes a winner; returns when it is released, with what its file held at that moment. */
async function contentAtRelease(at: Story, front: ApiFront, path: string): Promise<string | undefined> {
  const { answer } = front;
  let content: string | undefined;
  front.answer = (request) => {
    if (request.method === "PATCH" && request.path.includes("/configmaps/winner") && exists(path)) content = text(path);
    return answer(request);
  };
  await at.delete("ConfigMap", "winner");
  await eventually(async () => {
    const { status } = await at.controlPlane.request("GET", `/api/v1/namespaces/${at.namespace}/configmaps/winner`);
    assert.equal(status, 404, "the winner is not released");
  });
  return content;
}

const FINALIZERS: Settings = { FINALIZERS: "true", RESOURCE: "configmap" };

story("Finalizer outlives the content when the heir's URL is dead", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  const dead = `http://127.0.0.1:${freePort()}/same.txt`;
  await at.create("ConfigMap", "winner", { data: { "same.txt": "the winner's" } });
  await at.create("ConfigMap", "x-heir", { data: { "same.txt.url": dead } });
  const settings = { REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0", URL_ALLOWED_HOSTS: "*" };
  await startBehind(at, front, { ...FINALIZERS, ...settings });
  assert.equal(await contentAtRelease(at, front, `${at.folder}/same.txt`), undefined);
  assertFolderEquals(at.folder, {});
});

story("Finalizer outlives the content when the heir cannot be read", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.create("ConfigMap", "winner", { data: { "same.txt": "the winner's" } });
  await at.create("ConfigMap", "x-heir", { data: { "same.txt": "the heir's" } });
  await startBehind(at, front, FINALIZERS);
  front.answer = (request) => reads(request, "x-heir") ? new Response("oh no", { status: 500 }) : undefined;
  assert.equal(await contentAtRelease(at, front, `${at.folder}/same.txt`), undefined);
  assertFolderEquals(at.folder, {});
  front.answer = () => undefined;
  await eventually(() => assertFolderEquals(at.folder, { "same.txt": "the heir's" }), { timeout: 35_000 });
});

storyWhere(bothOf("Retry of one object waits for no other object's"), async (at) => {
  using clock = fastClock();
  for (const name of ["bad", "other"]) {
    const annotations = { "k8s-sidecar-target-directory": name };
    await at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" }, annotations });
  }
  const sidecar = await at.startReady({ RESYNC_PERIOD: "0" }, { through: clock.through });
  const folderOf = (name: string) => `${at.folder}/${name}`;
  using _bad = readOnly(folderOf("bad"));
  await at.change("ConfigMap", "bad", { data: { "bad.txt": "2" } });
  await sidecar.logged(/cannot write .*bad\.txt/);
  // Its retries are half a minute apart by then
  await clock.fastForward(60, () => assertAlive(sidecar));
  const hold = readOnly(folderOf("other"));
  try {
    await at.change("ConfigMap", "other", { data: { "other.txt": "2" } });
    await sidecar.logged(/cannot write .*other\.txt/);
  } finally {
    hold[Symbol.dispose]();
  }
  await eventually(() => assert.equal(text(`${folderOf("other")}/other.txt`), "2"), AT_ONCE);
  await sidecar.kill9();
});

storyWhere(withFastClock("Reads that no answer comes to delay no other object"), async (at) => {
  using clock = fastClock();
  await using front = await ApiFront.start(at.controlPlane);
  const numbers = [1, 2, 3, 4];
  for (const number of numbers) {
    await at.create("ConfigMap", `a-${number}`, { data: { [`${number}.txt`]: "a's" } });
    await at.create("ConfigMap", `b-${number}`, { data: { [`${number}.txt`]: "b's" } });
  }
  const sidecar = await startBehind(at, front, {}, { through: clock.through });
  const held = new Set<number>();
  const over = Promise.withResolvers<void>();
  front.answer = (request) => {
    const lost = [1, 2, 3].find((number) => !held.has(number) && reads(request, `b-${number}`));
    if (lost === undefined) return undefined;
    held.add(lost);
    return over.promise.then(() => new Response("too late", { status: 503 }));
  };
  try {
    for (const number of numbers) await at.delete("ConfigMap", `a-${number}`);
    await eventually(() => assert.equal(text(`${at.folder}/4.txt`), "b's"), AT_ONCE);
    const isThere = (number: number) =>
      exists(`${at.folder}/${number}.txt`) && text(`${at.folder}/${number}.txt`) === "b's";
    await clock.fastForward(90, () => assertAlive(sidecar), () => numbers.every(isThere));
    assertFolderEquals(at.folder, Object.fromEntries(numbers.map((number) => [`${number}.txt`, "b's"])));
  } finally {
    over.resolve();
  }
});
