/** Probes (rows 1 and 17 of the field cases, and their kind). */
import assert from "node:assert/strict";
import { eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import { type AddStory, inClusterAddress, type Story } from "../../support/story.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { fastStory } from "./fast_story.ts";

const GREEN = { "/healthz": 200, "/livez": 200, "/readyz": 200 };

/** Seconds that pass in one second. */
const SPEED = 50;

async function assertProbes(sidecar: SidecarProcess, expected: Record<string, number>): Promise<void> {
  for (const [path, status] of Object.entries(expected)) {
    const answer = await sidecar.health(path);
    assert.equal(answer.status, status, `${path}: ${answer.text}`);
  }
}

/** The exit code of the probe that a pod's exec runs beside a sidecar. */
async function probe(at: Story, port: number, ...args: string[]): Promise<number> {
  const sidecar = await at.start({ HEALTH_PORT: String(port) }, { args: ["healthcheck", ...args] });
  return (await sidecar.exited()).code;
}

export function tellOfProbes(story: AddStory): void {
  fastStory(story, "K8S_CONTACT_THRESHOLD_SECONDS turns probes red, and green again", async (fast, at) => {
    await using proxy = await TcpProxy.start(at.controlPlane.url);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const address = { ...await at.serviceAccount(), ...inClusterAddress(proxy.url) };
    const watches = { WATCH_SERVER_TIMEOUT: "5", WATCH_CLIENT_TIMEOUT: "6" };
    const sidecar = await fast.startReady({ ...address, ...watches, K8S_CONTACT_THRESHOLD_SECONDS: "60" });
    await assertProbes(sidecar, GREEN);
    // Nothing happens, and watches that end and begin are answers
    await fast.pass(80, undefined, SPEED);
    await assertProbes(sidecar, GREEN);
    await proxy.refuse();
    await fast.pass(30, undefined, SPEED);
    await assertProbes(sidecar, GREEN);
    await fast.pass(60, undefined, SPEED);
    await assertProbes(sidecar, { "/healthz": 503, "/livez": 503, "/readyz": 200 });
    await proxy.listen();
    let status = 503;
    for (let tries = 0; tries < 20 && status !== 200; tries++) {
      await fast.pass(5, undefined, SPEED);
      status = (await sidecar.health("/livez")).status;
    }
    await assertProbes(sidecar, GREEN);
  });

  story("Exec probe says what the probes say", async (at) => {
    await using proxy = await TcpProxy.start(at.controlPlane.url);
    await proxy.refuse();
    const address = { ...await at.serviceAccount(), ...inClusterAddress(proxy.url) };
    const sidecar = await at.start(address);
    await sidecar.logged("health endpoints");
    const { healthPort } = sidecar;
    assert.deepEqual(
      await Promise.all([probe(at, healthPort), probe(at, healthPort, "ready"), probe(at, healthPort, "live")]),
      [1, 1, 0],
    );
    await proxy.listen();
    await sidecar.ready();
    await eventually(async () => assert.equal(await probe(at, healthPort), 0));
    assert.equal(await probe(at, healthPort, "ready"), 0);
    await sidecar.stop();
    assert.equal(await probe(at, healthPort), 1);
  });
}
