/** `k8s-sidecar healthcheck [ready|live]`: asks the health endpoints, for exec probes in an image without a shell. */
import type { Config } from "../config/config.ts";
import { messageOf } from "../runtime/message_of.ts";
import { type Probe, PROBES } from "./command_line.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";

/** Maximum milliseconds for an answer. */
const MAX_ANSWER_MS = 5000;

/** Addresses that mean every address of the host. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Prints the answer of the running sidecar. Returns 0 if it is 200. */
export async function runHealthcheck({ health }: Config, probe: Probe | undefined): Promise<ExitCode> {
  if (!health.enabled) {
    console.error("LIVENESS=false: there are no health endpoints");
    return EXIT.unhealthy;
  }
  const host = health.host === undefined || ANY_ADDRESS.has(health.host) ? "localhost" : health.host;
  const path = probe === undefined ? "/healthz" : PROBES[probe];
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${health.port}${path}`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(MAX_ANSWER_MS), redirect: "manual" });
    console.log((await answer.text()).trimEnd());
    return answer.status === 200 ? EXIT.done : EXIT.unhealthy;
  } catch (error) {
    console.error(`no answer from ${url}: ${messageOf(error)}`);
    return EXIT.unhealthy;
  }
}
