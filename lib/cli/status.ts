/** `k8s-sidecar status`: the running sidecar of this container, in words. */
import type { Config } from "../config/config.ts";
import type { Fault } from "../config/read_settings.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Status } from "../serve/status.ts";
import { ask, OtherSidecarError, strangerIn, urlOf } from "./ask_sidecar.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { coloursOf } from "./report.ts";
import { describeStatus } from "./status_words.ts";

/** Maximum milliseconds for an answer, which may have some megabytes. */
const MAX_ANSWER_MS = 30_000;

/** Prints the status. Returns 1 if the sidecar cannot be asked. */
export async function runStatus(
  { json }: { json: boolean },
  settings: { config: Config; faults: readonly Fault[] },
): Promise<ExitCode> {
  try {
    const status = await statusOf(settings);
    console.log(json ? JSON.stringify(status, null, 2) : describeStatus(status, coloursOf()));
    return EXIT.done;
  } catch (error) {
    console.error(messageOf(error));
    return EXIT.unhealthy;
  }
}

/** @throws {Error} the sidecar cannot be asked; the message is for the user */
export async function statusOf(settings: { config: Config; faults: readonly Fault[] }): Promise<Status> {
  const { health } = settings.config;
  if (!health.enabled) throw new Error("LIVENESS=false: there is no port that could be asked for the status");
  const url = urlOf(health, "/status");
  const answer = await ask(url, MAX_ANSWER_MS).catch((error) => {
    throw new Error(
      `${messageOf(error)}. Is the sidecar running in this container, and is its HEALTH_PORT ${health.port}?`,
    );
  });
  const stranger = await strangerIn(answer, settings);
  if (stranger !== undefined) {
    throw answer.instance === undefined ? new Error(stranger) : new OtherSidecarError(stranger);
  }
  if (answer.instance === undefined) throw new Error(`${url} is no k8s-sidecar: check HEALTH_PORT`);
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${answer.text.trim().slice(0, 200)}`);
  let status: Status;
  try {
    status = JSON.parse(answer.text);
  } catch (error) {
    throw new Error(`the answer of ${url} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  if (status.version !== 1) {
    throw new Error(`${url} has a status of version ${status.version}, which this program does not know`);
  }
  return status;
}
