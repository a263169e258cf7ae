/** What must be true of the machine before the sidecar starts: checked all at once, so that one start shows every fault. */
import type { Config } from "../config/config.ts";
import { isInside, resolvePath } from "../files/paths.ts";
import { CredentialsError } from "../kube/client/credentials.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import { type Fault, faultOf } from "../config/settings.ts";

/** The way to the API server cannot be had, for a reason that another setting than KUBECONFIG gives. */
export class StartError extends Error {
  override readonly name = "StartError";

  constructor(readonly setting: string, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * @param credentials finds the way to the API server, and reads it once
 * @param broken settings that are known to be wrong, which need no check
 */
export async function checkStart(
  config: Config,
  credentials: () => Promise<Credentials>,
  broken: ReadonlySet<string>,
): Promise<{ credentials: Credentials | undefined; faults: Fault[] }> {
  const faults: Fault[] = [];
  for (const { files, notification } of config.collections) {
    if (!broken.has("FOLDER")) faults.push(...folderFaults(files.folder));
    if (files.stateFile !== undefined && files.stateFile !== "none") faults.push(...stateFileFaults(files.stateFile));
    if (notification.script !== undefined) faults.push(...scriptFaults(notification.script.path));
  }
  let found: Credentials | undefined;
  try {
    found = await credentials();
    await found.load(false);
  } catch (error) {
    faults.push(credentialsFault(error, config.api.kubeconfig));
  }
  return { credentials: found, faults };
}

/** @throws what is no matter of configuration */
function credentialsFault(error: unknown, kubeconfig: string | undefined): Fault {
  if (error instanceof StartError) return { setting: error.setting, message: error.message };
  if (!(error instanceof CredentialsError)) throw error;
  if (kubeconfig !== undefined) return faultOf("KUBECONFIG", kubeconfig, error.message);
  return { setting: "KUBECONFIG", message: `KUBECONFIG is not set, and ${error.message}` };
}

/** Where Deno lets a program write only that may do everything. */
const DEVICES = ["/dev", "/proc", "/sys"];

function folderFaults(folder: string): Fault[] {
  if (DEVICES.some((devices) => isInside(devices, resolvePath(Deno.cwd(), folder)))) {
    return [
      faultOf(
        "FOLDER",
        folder,
        `accepted is a folder that is not in ${DEVICES.join(", ")}: no program of Deno's may write there`,
      ),
    ];
  }
  try {
    Deno.mkdirSync(folder, { recursive: true });
    return [];
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return [faultOf("FOLDER", folder, "it is there, but it is no directory")];
    }
    const reason = error instanceof Error ? error.message : String(error);
    return [faultOf("FOLDER", folder, `it is not there and cannot be made: ${reason}`)];
  }
}

function stateFileFaults(path: string): Fault[] {
  try {
    if (Deno.statSync(path).isDirectory) return [faultOf("STATE_FILE", path, "it is a directory")];
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      return [faultOf("STATE_FILE", path, "a part of the path is a file, where a directory must be")];
    }
    // Whatever else is wrong may get well, and is tried again with each file
  }
  return [];
}

function scriptFaults(path: string): Fault[] {
  try {
    return Deno.statSync(path).isFile ? [] : [faultOf("SCRIPT", path, "it is no file")];
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : String(error);
    return [faultOf("SCRIPT", path, reason)];
  }
}
