/** What must be true of the machine before the sidecar starts: checked all at once, so that one start shows every fault. */
import type { Config } from "./config.ts";
import { CredentialsError } from "./kube/credentials.ts";
import type { Credentials } from "./kube/credentials.ts";
import { type Fault, faultOf } from "./settings.ts";

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
  for (const { files, notification } of config.rules) {
    if (!broken.has("FOLDER")) faults.push(...folderFaults(files.folder));
    if (notification.script !== undefined) faults.push(...scriptFaults(notification.script.path));
  }
  let found: Credentials | undefined;
  try {
    found = await credentials();
    await found.load(false);
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    const { kubeconfig } = config.api;
    faults.push(
      kubeconfig === undefined
        ? { setting: "KUBECONFIG", message: `KUBECONFIG is not set, and ${error.message}` }
        : faultOf("KUBECONFIG", kubeconfig, error.message),
    );
  }
  return { credentials: found, faults };
}

function folderFaults(folder: string): Fault[] {
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

function scriptFaults(path: string): Fault[] {
  try {
    return Deno.statSync(path).isFile ? [] : [faultOf("SCRIPT", path, "it is no file")];
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : String(error);
    return [faultOf("SCRIPT", path, reason)];
  }
}
