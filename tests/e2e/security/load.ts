/** Objects that are much work (rows 8, 9 and 17 of the security cases). */
import assert from "node:assert/strict";
import { exists, text } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import { requestsOf } from "../../support/request_count.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

/** A kubelet's probe has a second. */
const PROBE_MS = 1000;

function emptyKeys(count: number, prefix = "k"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, ""]));
}

/** Milliseconds that the slowest probe takes while something happens. */
async function slowestProbe(sidecar: SidecarProcess, act: () => Promise<void>): Promise<number> {
  let isOver = false;
  let slowest = 0;
  const probes = (async () => {
    while (!isOver) {
      const startedAt = performance.now();
      assert.equal((await sidecar.health("/livez")).status, 200);
      slowest = Math.max(slowest, performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  try {
    await act();
  } finally {
    isOver = true;
    await probes;
  }
  return Math.round(slowest);
}

export function tellOfLoad(story: AddStory): void {
  story("Object with 60,000 keys is refused, and probes pass", async (at) => {
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    const sidecar = await at.startReady();
    const slowest = await slowestProbe(sidecar, async () => {
      await at.create("ConfigMap", "many", { data: emptyKeys(60_000) });
      for (const folder of ["a", "b", "c"]) {
        await at.change("ConfigMap", "many", { annotations: { [ANNOTATION]: folder } });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await sidecar.logged("MAX_FILES_PER_OBJECT");
    });
    assert.ok(slowest < PROBE_MS, `a probe took ${slowest} ms`);
    for (const folder of ["a", "b", "c"]) assert.ok(!exists(`${at.folder}/${folder}`));
    assert.ok(!exists(`${at.folder}/k0`));
    await at.change("ConfigMap", "good", { data: { "good.txt": "2" } });
    await eventually(() => assert.equal(text(`${at.folder}/good.txt`), "2"), { timeout: 3000 });
  });

  story("Probes pass while an object with 20,000 keys moves about", async (at) => {
    const sidecar = await at.startReady({ MAX_FILES_PER_OBJECT: "20000" });
    const slowest = await slowestProbe(sidecar, async () => {
      await at.create("ConfigMap", "many", { data: emptyKeys(20_000) });
      await eventually(() => assert.ok(exists(`${at.folder}/k19999`)), { timeout: 30_000 });
      await at.change("ConfigMap", "many", { annotations: { [ANNOTATION]: "a" } });
      await eventually(() => assert.ok(exists(`${at.folder}/a/k19999`) && !exists(`${at.folder}/k19999`)), {
        timeout: 30_000,
      });
    });
    assert.ok(slowest < PROBE_MS, `a probe took ${slowest} ms`);
  });

  story("Two objects with 10,000 keys in common are a line", async (at) => {
    await at.create("ConfigMap", "a", { data: emptyKeys(10_000) });
    await at.create("ConfigMap", "b", { data: emptyKeys(10_000) });
    const sidecar = await at.startReady({ MAX_FILES_PER_OBJECT: "10000" });
    for (const value of [null, "yes", null, "yes"]) {
      await at.change("ConfigMap", "b", { labels: { [at.label]: value } });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await at.create("ConfigMap", "last", { data: { "last.txt": "1" } });
    await eventually(() => assert.ok(exists(`${at.folder}/last.txt`)));
    const told = sidecar.lines.filter(({ level }) => level === "WARN");
    assert.ok(told.length <= 4, `${told.length} warnings`);
    assert.match(told[0]?.msg ?? "", /10,?000|9,?999/);
  });

  story("Impossible paths wait for a change, not for time", async (at) => {
    await Deno.mkdir(at.folder);
    for (let index = 0; index < 60; index++) {
      await Deno.mkdir(`${at.folder}/way-${index}/x`, { recursive: true });
      await at.create("ConfigMap", `way-${index}`, { data: { [`way-${index}`]: "1" } });
    }
    const sidecar = await at.startReady({ RESYNC_PERIOD: "0", CHECK_PERIOD: "1" });
    const before = await requestsOf(sidecar);
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const asked = await requestsOf(sidecar) - before;
    // A watch may have ended
    assert.ok(asked < 10, `${asked} requests in 6 s`);
    await Deno.remove(`${at.folder}/way-7`, { recursive: true });
    await eventually(() => assert.equal(text(`${at.folder}/way-7`), "1"), { timeout: 8000 });
  });
}
