/** Checks that need the file system or the network, before anything starts. All faults are reported together. */
import type { Config } from "../config/config.ts";
import { isInside, resolvePath } from "../files/paths.ts";
import { CredentialsError } from "../kube/client/errors.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import { messageOf } from "../runtime/message_of.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";

/**
 * Warnings are about what kiwigrid's image starts with.
 *
 * @param credentials finds the credentials for the API server, which are loaded once; `undefined` without a cluster
 * @param broken settings that are already known to be invalid; they are not checked
 */
export async function checkStart(
  config: Config,
  credentials: (() => Promise<Credentials>) | undefined,
  broken: ReadonlySet<string>,
): Promise<
  { credentials: Credentials | undefined; server: string | undefined; faults: Fault[]; warnings: string[] }
> {
  const faults: Fault[] = [];
  const warnings: string[] = [];
  for (const { files, notification } of config.collections) {
    if (!broken.has("FOLDER")) faults.push(...folderFaults(files.folder));
    if (files.stateFile !== undefined && files.stateFile !== "none") faults.push(...stateFileFaults(files.stateFile));
    if (notification.script === undefined) continue;
    const ofScript = scriptFaults(notification.script.path);
    if (config.startsLikeKiwigrid) warnings.push(...ofScript.map(({ message }) => message));
    else faults.push(...ofScript);
  }
  let found: Credentials | undefined;
  let server: string | undefined;
  try {
    found = await credentials?.();
    server = (await found?.load(false))?.server;
  } catch (error) {
    faults.push(credentialsFault(error, config.api.kubeconfig));
  }
  return { credentials: found, server, faults, warnings };
}

/** @throws any error that is not about the configuration */
function credentialsFault(error: unknown, kubeconfig: string | undefined): Fault {
  if (!(error instanceof CredentialsError)) throw error;
  if (kubeconfig !== undefined) return faultOf("KUBECONFIG", kubeconfig, error.message);
  return { setting: "KUBECONFIG", message: `KUBECONFIG is not set, and ${error.message}` };
}

/** Deno allows writing to these only with --allow-all. */
const DEVICES = ["/dev", "/proc", "/sys"];

function folderFaults(folder: string): Fault[] {
  if (DEVICES.some((devices) => isInside(devices, resolvePath(Deno.cwd(), folder)))) {
    return [
      faultOf(
        "FOLDER",
        folder,
        `expected a folder outside of ${DEVICES.join(", ")}, where Deno does not allow writing`,
      ),
    ];
  }
  try {
    Deno.mkdirSync(folder, { recursive: true });
    return [];
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return [faultOf("FOLDER", folder, "it exists but is not a directory")];
    }
    return [faultOf("FOLDER", folder, `it does not exist and cannot be created: ${messageOf(error)}`)];
  }
}

function stateFileFaults(path: string): Fault[] {
  try {
    if (Deno.statSync(path).isDirectory) return [faultOf("STATE_FILE", path, "it is a directory")];
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      return [faultOf("STATE_FILE", path, "a part of the path is a file instead of a directory")];
    }
    // Other errors may be temporary; writing the record is retried with each file
  }
  return [];
}

function scriptFaults(path: string): Fault[] {
  try {
    return Deno.statSync(path).isFile ? [] : [faultOf("SCRIPT", path, "it is not a file")];
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "it does not exist" : String(error);
    return [faultOf("SCRIPT", path, reason)];
  }
}
