/** A sidecar that is left alone: processor time, and what the API server's bookmarks weigh. */
import type { ApiServer } from "./api_server.ts";
import { type BenchRun, STANDARD } from "./bench_run.ts";
import { between, CountingProxy } from "./counting_proxy.ts";
import { ANYWHERE } from "./figures.ts";
import { IDLE_DENO } from "./floors.ts";
import { finelyTimed, settledMemoryOf } from "./process_figures.ts";
import { FloorProcess } from "./process.ts";
import { requestsOf } from "../tests/support/request_count.ts";
import { SIDECAR } from "./start_up.ts";

/** Long enough for two bookmarks of each watch: the API server sends one a minute. Short of a watch's first end. */
const FULL_SECONDS = 125;
const QUICK_SECONDS = 10;

export async function measureIdle(run: BenchRun): Promise<void> {
  const { figures } = run;
  const seconds = run.options.quick ? QUICK_SECONDS : FULL_SECONDS;
  const set = await run.set(STANDARD);
  await using proxy = new CountingProxy(run.api.url);
  const { process } = await run.sync(set, await run.api.inCluster(proxy.url));
  await using sidecar = process;
  await using idle = FloorProcess.start("idle");
  await Promise.all([settledMemoryOf(sidecar.pid), settledMemoryOf(idle.pid)]);
  const requests = await requestsOf(sidecar);
  const traffic = proxy.traffic;
  const sidecarTime = finelyTimed(sidecar.pid);
  const idleTime = finelyTimed(idle.pid);
  for (let second = 0; second < seconds; second++) {
    await touchOthers(run.api, second);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  figures.add(SIDECAR, set.title, "idle CPU time", "ms/s", sidecarTime() / seconds);
  figures.add(IDLE_DENO, ANYWHERE, "CPU time", "ms/s", idleTime() / seconds);
  const { up, down } = between(traffic, proxy.traffic);
  figures.add(
    SIDECAR,
    set.title,
    "requests of an idle minute",
    "requests",
    (await requestsOf(sidecar) - requests) / seconds * 60,
  );
  figures.add(SIDECAR, set.title, "bytes up of an idle minute", "bytes", up / seconds * 60);
  figures.add(SIDECAR, set.title, "bytes down of an idle minute", "bytes", down / seconds * 60);
}

/** Changes objects that nobody selected, as always happens in a cluster: without, an API server has no news to bookmark. */
async function touchOthers(api: ApiServer, second: number): Promise<void> {
  for (const plural of ["configmaps", "secrets"]) {
    const path = `/api/v1/namespaces/default/${plural}`;
    const object = { metadata: { name: "bystander", annotations: { second: String(second) } } };
    if (second === 0) await api.send("POST", path, JSON.stringify(object));
    else await api.send("PUT", `${path}/bystander`, JSON.stringify(object));
  }
}
