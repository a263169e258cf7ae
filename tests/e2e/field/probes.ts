/** Probes (rows 1 and 17 of the field cases, and their kind). */
import assert from "node:assert/strict";
import { eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import { type AddStory, inClusterAddress, type Story } from "../../support/story.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { fastStory } from "./fast_story.ts";

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
    await assertProbes(sidecar, { "/healthz": 200, "/livez": 200, "/readyz": 200 });
    await proxy.refuse();
    await fast.pass(40, undefined, 20);
    await assertProbes(sidecar, { "/healthz": 200, "/livez": 200, "/readyz": 200 });
    await fast.pass(40, undefined, 20);
    await assertProbes(sidecar, { "/healthz": 503, "/livez": 503, "/readyz": 200 });
    await proxy.listen();
    let live = 0;
    const look = async () => live = (await sidecar.health("/livez")).status;
    await fast.pass(60, () => (void look(), live === 200), 20);
    await look();
    await assertProbes(sidecar, { "/healthz": 200, "/livez": 200, "/readyz": 200 });
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
