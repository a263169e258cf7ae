/** An API server that is away, or answers wrongly: probes stay green, and changes are followed again afterwards. */
import assert from "node:assert/strict";
import { ApiFront } from "../support/api_front.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import { exists, text } from "../support/disk.ts";
import { fastClock, withFastClock } from "../support/fast_clock.ts";
import { eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import type { WallClock } from "../support/wall_clock.ts";

const story = stories();

function fastStory(title: string, run: (at: Story, clock: WallClock) => Promise<void>): void {
  const { name, ignore } = withFastClock(title);
  story(name, async (at) => {
    using clock = fastClock();
    await run(at, clock);
  }, { ignore });
}

async function start(at: Story, url: string, clock: WallClock, settings: Settings): Promise<SidecarProcess> {
  const address = { ...await at.serviceAccount(), ...inClusterAddress(url) };
  return await at.start({ ...address, ...settings }, { through: clock.through });
}

/** Fails unless the three probes answer as they should. */
async function assertProbes(sidecar: SidecarProcess, expected: Record<string, number>): Promise<void> {
  for (const [path, status] of Object.entries(expected)) {
    const answer = await sidecar.health(path);
    assert.equal(answer.status, status, `${path}: ${answer.text}`);
  }
}

const HEALTHY = { "/healthz": 200, "/livez": 200, "/readyz": 200 };

const SHORT_WATCHES = { WATCH_SERVER_TIMEOUT: "2", WATCH_CLIENT_TIMEOUT: "3" };

fastStory("Probes stay green while the API server refuses connections", async (at, clock) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await start(at, proxy.url, clock, SHORT_WATCHES);
  await sidecar.ready();
  await proxy.refuse();
  await clock.fastForward(30, () => assertProbes(sidecar, HEALTHY));
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  await proxy.listen();
  await clock.fastForward(60, () => assertProbes(sidecar, HEALTHY), () => text(`${at.folder}/a.txt`) === "2");
  await assertDiskFollows(at);
  await assertProbes(sidecar, HEALTHY);
});

fastStory("Probes stay green while connections are black holes", async (at, clock) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await start(at, proxy.url, clock, SHORT_WATCHES);
  await sidecar.ready();
  proxy.weather = "swallow";
  const { accepted } = proxy;
  await clock.fastForward(45, () => assertProbes(sidecar, HEALTHY));
  assert.ok(proxy.accepted > accepted, "the dead connection is still used");
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  proxy.weather = "fair";
  await clock.fastForward(60, () => assertProbes(sidecar, HEALTHY), () => text(`${at.folder}/a.txt`) === "2");
  await assertDiskFollows(at);
  await assertProbes(sidecar, HEALTHY);
});

fastStory("Alive and not ready until the API server answers first", async (at, clock) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await proxy.refuse();
  const sidecar = await start(at, proxy.url, clock, SHORT_WATCHES);
  await sidecar.logged("health endpoints");
  await clock.fastForward(30, () => assertProbes(sidecar, { "/livez": 200, "/readyz": 503, "/healthz": 503 }));
  await proxy.listen();
  await clock.fastForward(60, () => sidecar.health("/livez"), () => exists(`${at.folder}/a.txt`));
  await sidecar.ready();
  await assertProbes(sidecar, HEALTHY);
});

fastStory("Resumed watches that end at once lead to a relist", async (at, clock) => {
  await using front = await ApiFront.start(at.controlPlane);
  for (const name of ["changes", "goes"]) await at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" } });
  const sidecar = await start(at, front.url, clock, {
    RESOURCE: "configmap",
    RESYNC_PERIOD: "0",
    ERROR_THROTTLE_SLEEP: "1",
  });
  await sidecar.ready();
  await front.watching();
  await at.change("ConfigMap", "changes", { data: { "changes.txt": "2" } });
  await eventually(() => assert.equal(Deno.readTextFileSync(`${at.folder}/changes.txt`), "2"));
  const { body } = await at.request("GET", `/api/v1/namespaces/${at.namespace}/configmaps/changes`);
  const newest = Number(body.metadata.resourceVersion);
  // A front end that no longer has the history says 200 and closes, where it should say 410
  front.answer = async ({ isWatch, path }) => {
    if (!isWatch) return undefined;
    const from = Number(/resourceVersion=(\d+)/.exec(path)?.[1] ?? Infinity);
    if (from > newest) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response("", { headers: { "content-type": "application/json" } });
  };
  front.cut();
  await at.change("ConfigMap", "changes", { data: { "changes.txt": "3" } });
  await at.delete("ConfigMap", "goes");
  const follows = () => !exists(`${at.folder}/goes.txt`);
  await clock.fastForward(30, () => assertProbes(sidecar, HEALTHY), follows);
  await assertDiskFollows(at, { timeout: 2000 });
});
