/** Checks that need the file system or the network, before anything starts. All faults are reported together. */
import { type Collection, ENVIRONMENT_COLLECTION } from "../config/collection_settings.ts";
import type { Config } from "../config/config.ts";
import { isInside, parentOf, resolvePath } from "../files/paths.ts";
import { CredentialsError } from "../kube/client/errors.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import { isVolumeFault, reasonOf } from "../files/publish_error.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";

/**
 * Warnings are about what kiwigrid's image starts with, and about a SCRIPT that others can replace.
 *
 * @param credentials finds the credentials for the API server, which are loaded once; `undefined` without a cluster
 * @param broken settings that are already known to be invalid; they are not checked
 */
export async function checkStart(
  config: Config,
  credentials: (() => Promise<Credentials>) | undefined,
  broken: ReadonlySet<string>,
): Promise<
  { credentials: Credentials | undefined; server: string | undefined; faults: StartFault[]; warnings: string[] }
> {
  const { faults, warnings, later } = checkCollections(config.collections, config, broken);
  warnings.push(...later.map(({ message }) => `${message}; it is created once that is possible`));
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

export interface StartFault extends Fault {
  /** The key of CONFIG_FILE, if the collection is in that. */
  of?: { collection: string; key: string; value: string; reason: string };
}

/**
 * Makes the folders of collections, and checks the files that they name. `later`: folders that cannot be made now, by a
 * fault of the volume.
 *
 * @param prepare makes a folder, or throws what that would throw
 */
export function checkCollections(
  collections: readonly Collection[],
  { startsLikeKiwigrid }: Pick<Config, "startsLikeKiwigrid">,
  broken: ReadonlySet<string> = new Set(),
  prepare: (folder: string) => void = makeFolder,
): { faults: StartFault[]; warnings: string[]; later: StartFault[] } {
  const faults: StartFault[] = [];
  const warnings: string[] = [];
  const later: StartFault[] = [];
  for (const { name, files, notification } of collections) {
    const settings = settingsOf(name);
    if (name !== ENVIRONMENT_COLLECTION || !broken.has("FOLDER")) {
      const found = folderFault(settings.folder, files.folder, prepare);
      if (found !== undefined) (found.isOfVolume ? later : faults).push(found.fault);
    }
    if (files.stateFile !== undefined && files.stateFile !== "none") {
      faults.push(...stateFileFaults(settings.stateFile, files.stateFile));
    }
    if (notification.script === undefined) continue;
    const ofScript = scriptFaults(settings.script, notification.script.path);
    if (
      ofScript.length === 0 &&
      isInside(resolvePath(Deno.cwd(), files.folder), resolvePath(Deno.cwd(), notification.script.path))
    ) {
      warnings.push(
        `${settings.script.name}=${
          JSON.stringify(notification.script.path)
        } is inside ${settings.folder.name}: objects cannot replace it, but whoever shares ` +
          "the folder can, and it runs with the sidecar's environment",
      );
    }
    if (startsLikeKiwigrid) warnings.push(...ofScript.map(({ message }) => message));
    else faults.push(...ofScript);
  }
  return { faults, warnings, later };
}

function makeFolder(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true });
}

/** @throws the error with which making the folder would fail */
export function couldMakeFolder(folder: string): void {
  let path = resolvePath(Deno.cwd(), folder);
  while (!exists(path)) path = parentOf(path);
  if (!Deno.statSync(path).isDirectory) throw new Deno.errors.AlreadyExists(`${path} is a file`);
}

/** @throws any error but that there is nothing */
function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The settings of a collection, for messages. */
function settingsOf(collection: string) {
  const isEnvironment = collection === ENVIRONMENT_COLLECTION;
  const setting = (variable: string, key: string): CheckedSetting => {
    const name = isEnvironment ? variable : `CONFIG_FILE: collection ${collection}: ${key}`;
    return {
      name,
      fault(value, reason) {
        return { ...faultOf(name, value, reason), of: { collection, key, value, reason } };
      },
    };
  };
  return {
    folder: setting("FOLDER", "folder"),
    stateFile: setting("STATE_FILE", "stateFile"),
    script: setting("SCRIPT", "notify.script.path"),
  };
}

interface CheckedSetting {
  name: string;
  fault(value: string, reason: string): StartFault;
}

/** @throws any error that is not about the configuration */
export function credentialsFault(error: unknown, kubeconfig: string | undefined): Fault {
  if (!(error instanceof CredentialsError)) throw error;
  if (kubeconfig !== undefined) return faultOf("KUBECONFIG", kubeconfig, error.message);
  return { setting: "KUBECONFIG", message: error.message };
}

/** Deno allows writing to these only with --allow-all. */
const DEVICES = ["/dev", "/proc", "/sys"];

function folderFault(
  setting: CheckedSetting,
  folder: string,
  prepare: (folder: string) => void,
): { fault: StartFault; isOfVolume: boolean } | undefined {
  if (DEVICES.some((devices) => isInside(devices, resolvePath(Deno.cwd(), folder)))) {
    const reason = `expected a folder outside of ${DEVICES.join(", ")}, where Deno does not allow writing`;
    return { fault: setting.fault(folder, reason), isOfVolume: false };
  }
  try {
    prepare(folder);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return { fault: setting.fault(folder, "it exists but is not a directory"), isOfVolume: false };
    }
    const reason = `it does not exist and cannot be created: ${reasonOf(error)}`;
    return { fault: setting.fault(folder, reason), isOfVolume: isVolumeFault(error) };
  }
}

function stateFileFaults(setting: CheckedSetting, path: string): StartFault[] {
  try {
    if (Deno.statSync(path).isDirectory) return [setting.fault(path, "it is a directory")];
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      return [setting.fault(path, "a part of the path is a file instead of a directory")];
    }
    // Other errors may be temporary; writing the record is retried with each file
  }
  return [];
}

function scriptFaults(setting: CheckedSetting, path: string): StartFault[] {
  try {
    return Deno.statSync(path).isFile ? [] : [setting.fault(path, "it is not a file")];
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "it does not exist" : String(error);
    return [setting.fault(path, reason)];
  }
}
