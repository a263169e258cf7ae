/** How many requests a sidecar has made of the API server, by its own `/metrics`. */
import type { SidecarProcess } from "./sidecar_process.ts";

const METRIC = /^k8s_sidecar_api_requests_total\{.*\} (\d+)$/gm;

export async function requestsOf(sidecar: SidecarProcess): Promise<number> {
  const { text } = await sidecar.health("/metrics");
  return [...text.matchAll(METRIC)].reduce((sum, [, value]) => sum + Number(value), 0);
}

const POLL_MS = 20;
const TIMEOUT_MS = 60_000;

/** Resolves when the sidecar has made this many requests, with the time by `performance.now()`. */
export async function afterRequests(sidecar: SidecarProcess, count: number): Promise<number> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (await requestsOf(sidecar) < count) {
    if (performance.now() > deadline) throw new Error(`the sidecar did not make ${count} requests`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return performance.now();
}
