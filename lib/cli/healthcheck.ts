/** `k8s-sidecar healthcheck [ready|live]`: asks the health endpoints, for exec probes in an image without a shell. */
import type { Config } from "../config/config.ts";
import type { Fault } from "../config/read_settings.ts";
import { messageOf } from "../runtime/message_of.ts";
import { ask, strangerIn, urlOf } from "./ask_sidecar.ts";
import { type Probe, PROBES } from "./command_line.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";

/** Maximum milliseconds for an answer. */
const MAX_ANSWER_MS = 5000;

/** Prints the answer of the running sidecar. Returns 0 if it is 200. */
export async function runHealthcheck(
  settings: { config: Config; faults: readonly Fault[] },
  probe: Probe | undefined,
): Promise<ExitCode> {
  const { health } = settings.config;
  if (!health.enabled) {
    console.error("LIVENESS=false: there are no health endpoints");
    return EXIT.unhealthy;
  }
  try {
    const answer = await ask(urlOf(health, probe === undefined ? "/healthz" : PROBES[probe]), MAX_ANSWER_MS);
    const stranger = await strangerIn(answer, settings);
    if (stranger !== undefined) throw new Error(stranger);
    console.log(answer.text.trimEnd());
    return answer.status === 200 ? EXIT.done : EXIT.unhealthy;
  } catch (error) {
    console.error(messageOf(error));
    return EXIT.unhealthy;
  }
}
