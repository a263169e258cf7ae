/** The image with a shell: busybox under its names, and no zombies of what a SCRIPT leaves behind. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/oracle.ts";
import { childrenOf, isZombie, nameOf } from "../support/process_tree.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import type { Settings, Story } from "../support/story.ts";
import { imageStories } from "./image_story.ts";

const CHANGES = 100;

const { story, start, image } = imageStories("debug");

/** Leaves a process behind, without the script's output, which the sidecar reads to its end; counts runs in `/files/..runs`. */
const LEAVES_A_CHILD = "sleep 1 >/dev/null 2>&1 &\necho run >>/files/..runs\n";

story("busybox has its names in /bin, as exec probes expect", async (at) => {
  const names =
    "/bin/true && sh -c 'ls / && cat /etc/passwd && wget --help' >/files/out 2>&1 && echo well >/files/..well\n";
  image().write("/scripts/names.sh", `#!/bin/sh\n${names}`, 0o755);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await start(at, { SCRIPT: "/scripts/names.sh" });
  await eventually(() => assert.equal(Deno.readTextFileSync(join(at.folder, "..well")), "well\n"));
});

story("a hundred scripts that leave a child leave no zombie", async (at) => {
  const sidecar = await startWithScript(at);
  const init = childrenOf(sidecar.startedPid)[0] ?? 0;
  assert.equal(nameOf(init), "tini-static");
  await changeAndWait(at, CHANGES);
  // tini reaps what ended; the last `sleep` ends within a second
  await eventually(() => assert.deepEqual(childrenOf(init), [sidecar.pid]));
  assert.deepEqual(zombiesBelow(init), []);

  const { code, ms } = await sidecar.stop();
  assert.equal(code, 0);
  assert.ok(ms < 1000, `SIGTERM took ${ms} ms`);
});

story("without tini the children of scripts leave no zombie either", async (at) => {
  image().target.entrypoint.splice(0, 3);
  const sidecar = await startWithScript(at);
  assert.equal(childrenOf(sidecar.startedPid)[0], sidecar.pid);
  await changeAndWait(at, 3);
  await eventually(() => assert.deepEqual(childrenOf(sidecar.pid), []));
});

async function startWithScript(at: Story): Promise<SidecarProcess> {
  image().write("/scripts/leave.sh", LEAVES_A_CHILD);
  await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
  const settings: Settings = { SCRIPT: "/scripts/leave.sh", NOTIFY_QUIET_PERIOD: "0" };
  const sidecar = await start(at, settings);
  await sidecar.ready();
  await eventually(() => assert.equal(runs(at), 1));
  return sidecar;
}

/** Each change waits for the script of the one before, so that none are joined. */
async function changeAndWait(at: Story, changes: number): Promise<void> {
  for (let change = 1; change <= changes; change++) {
    await at.change("ConfigMap", "a", { data: { "a.txt": String(change) } });
    await eventually(() => assert.equal(runs(at), change + 1));
  }
}

function runs(at: Story): number {
  try {
    return Deno.readTextFileSync(join(at.folder, "..runs")).split("\n").length - 1;
  } catch {
    return 0;
  }
}

function zombiesBelow(pid: number): number[] {
  return childrenOf(pid).filter(isZombie);
}
