/** Asks the running sidecar of this container over HTTP, and sees whether it is another one that answers. */
import type { HealthSettings } from "../config/config.ts";
import type { Config } from "../config/config.ts";
import type { Fault } from "../config/read_settings.ts";
import { openTransport } from "../http/open_transport.ts";
import { messageOf } from "../runtime/message_of.ts";
import { INSTANCE_HEADER } from "../serve/status.ts";
import { instanceOf } from "../sidecar/collections/collection_id.ts";

/** Addresses that mean every address of the host. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

export interface Answer {
  status: number;
  text: string;
  /** `undefined`: it is no sidecar of ours. */
  instance: string | undefined;
}

/** The URL of a path of the sidecar that has these settings. */
export function urlOf({ host, port }: Pick<HealthSettings, "host" | "port">, path: string): string {
  const name = host === undefined || ANY_ADDRESS.has(host) ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}${path}`;
}

/** @throws {Error} nothing answers in time; the message is for the user */
export async function ask(url: string, maxMs: number): Promise<Answer> {
  // Its errors say what failed
  const transport = openTransport();
  try {
    const answer = await transport.fetch(url, { signal: AbortSignal.timeout(maxMs) });
    const text = await answer.text();
    return { status: answer.status, text, instance: answer.headers.get(INSTANCE_HEADER) ?? undefined };
  } catch (error) {
    throw new Error(`no answer from ${url}: ${reasonOf(error, maxMs)}`, { cause: error });
  } finally {
    transport.close();
  }
}

/** `connection refused`; the URL is said already. */
function reasonOf(error: unknown, maxMs: number): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return `nothing within ${maxMs / 1000} s`;
  const message = messageOf(error);
  const [, reason = message] = /(?:tcp connect|dns) error: (.*?)(?: \(os error \d+\))?$/.exec(message) ?? [];
  return reason.toLowerCase().includes("refused") ? "connection refused" : reason;
}

/** Another sidecar has the port, or the settings are not those that the sidecar has. */
export class OtherSidecarError extends Error {}

/**
 * Why the answer is not that of the sidecar with these settings, in one line; `undefined`: it is, or the settings are
 * not a sidecar's, so that there is nothing to compare. With CONFIG_FILE, whose content may be newer than what the
 * sidecar has read, only the environment counts.
 */
export async function strangerIn(
  { instance }: Answer,
  { config, faults }: { config: Config; faults: readonly Fault[] },
): Promise<string | undefined> {
  if (faults.length > 0) return undefined;
  const { port } = config.health;
  const cure = "give each program of the pod a port of its own with HEALTH_PORT";
  if (instance === undefined) return `port ${port} is another program's: ${cure}`;
  const expected = await instanceOf(config.collections, config.configFile);
  const compared = (instance: string) => config.configFile === undefined ? instance : instance.split("-")[0];
  if (compared(instance) === compared(expected)) return undefined;
  return `port ${port} is another sidecar's, with other collections or folders: ${cure} (its instance is ` +
    `${instance.replace(/[^\w-]/g, "")}, that of these settings ${compared(expected)})`;
}
