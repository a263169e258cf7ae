/** The folders of a collection, and the journal of the files in them. */
import type { Config } from "../../config/config.ts";
import type { Collection } from "../../config/collection_settings.ts";
import type { ConfigFile } from "../../files/config_files.ts";
import { Journal, type JournalOptions } from "../../files/journal.ts";
import { lstat, realPathOf } from "../../files/file_calls.ts";
import { resolvePath } from "../../files/paths.ts";
import { withHome } from "../../kube/client/find_credentials.ts";
import type { Clock } from "../../runtime/clock.ts";
import { volumeOf } from "../../files/volume.ts";

/** Backups of a log file that are kept from being written to. */
const MAX_BACKUPS = 1000;

/** FOLDER: absolute and normalised. */
export function folderOf({ files }: Collection): string {
  return resolvePath(Deno.cwd(), files.folder);
}

/**
 * Folders besides FOLDER that annotations may point to: ALLOWED_FOLDERS; else, with DEFAULTS=kiwigrid, the volume. Where a
 * symlink is in the name of one of these, or of FOLDER, the name without it, too.
 */
export function allowedFoldersOf(collection: Collection): string[] {
  const { allowedFolders, allowsVolume } = collection.files;
  const folder = folderOf(collection);
  const volume = allowsVolume ? volumeOf(folder) : undefined;
  const configured = allowedFolders.map((allowed) => resolvePath("/", allowed));
  const others = volume === undefined ? configured : [...configured, volume];
  const names = new Set([...others, ...[folder, ...others].map(realPathOf)]);
  names.delete(folder);
  return [...names];
}

/**
 * Files that the settings of the process name, the files that those name, and the credentials: objects must not write to
 * them.
 *
 * @param env for HOME
 */
export async function configFilesOf(config: Config, env: Record<string, string | undefined>): Promise<ConfigFile[]> {
  const { api, log } = config;
  const kubeconfigs = kubeconfigsOf(api.kubeconfig, env.HOME);
  const named: [what: string, path: string | undefined][] = [
    ["CONFIG_FILE", config.configFile],
    ["LOG_CONFIG", log.configFile],
    ...(await logFilesOf(log.configFile)).map((path): [string, string] => ["the log file of LOG_CONFIG", path]),
    ...kubeconfigs.split(":").map((path): [string, string] => ["KUBECONFIG", path]),
    ...(await filesIn(kubeconfigs)).map((path): [string, string] => ["a file that KUBECONFIG names", path]),
    ...["token", "ca.crt", "namespace"].map((name): [string, string] => [
      "a file of the service account",
      `${api.serviceAccountDir}/${name}`,
    ]),
  ];
  return absolute(named);
}

function absolute(named: readonly (readonly [what: string, path: string | undefined])[]): ConfigFile[] {
  return named.flatMap(([what, path = ""]) =>
    path === "" || path === "none" ? [] : [{ path: resolvePath(Deno.cwd(), path), what }]
  );
}

/** Files that the settings of a collection name. */
export function filesNamedBy({ notification, files, requests }: Collection): ConfigFile[] {
  return absolute([
    ["SCRIPT", notification.script?.path],
    ["STATE_FILE", files.stateFile],
    ["REQ_USERNAME_FILE", requests.usernameFile],
    ["REQ_PASSWORD_FILE", requests.passwordFile],
    ["REQ_TOKEN_FILE", requests.tokenFile],
    ["NETRC", requests.netrc],
    ...Object.values(requests.headerFiles).map((path): [string, string] => ["a header's file", path]),
    ...requests.caFiles.map((path): [string, string] => ["REQ_CA_FILE", path]),
  ]);
}

/** KUBECONFIG, else the file that is used where there is no service account. */
function kubeconfigsOf(kubeconfig: string | undefined, home = ""): string {
  if (kubeconfig === undefined) return home === "" ? "" : `${home}/.kube/config`;
  return withHome(kubeconfig, home);
}

async function filesIn(kubeconfigs: string): Promise<string[]> {
  if (!kubeconfigs.split(":").some((path) => path !== "" && isThere(path))) return [];
  const { filesNamedInKubeconfigs } = await import("../../kube/client/kubeconfig_files.ts");
  return await filesNamedInKubeconfigs(kubeconfigs);
}

function isThere(path: string): boolean {
  try {
    return lstat(path) !== undefined;
  } catch {
    return true;
  }
}

/** The log files of LOG_CONFIG with their backups, `app.log.1` and so on. */
async function logFilesOf(configFile: string | undefined): Promise<string[]> {
  if (configFile === undefined) return [];
  const { readLogConfig } = await import("../../log/log_config.ts");
  // A file that cannot be used is a fault of its own, told at the start
  const { outputs } = await readLogConfig(configFile).catch(() => ({ outputs: [] }));
  return outputs.flatMap((output) => {
    if (output.to !== "file") return [];
    const length = Math.min(output.backupCount, MAX_BACKUPS);
    return [output.path, ...Array.from({ length }, (_, at) => `${output.path}.${at + 1}`)];
  });
}

/** Reads the record of an earlier run. */
export async function openJournal(
  collection: Collection,
  id: string,
  { clock, isDryRun = false, log }: { clock: Clock; isDryRun?: boolean; log: JournalOptions["log"] },
): Promise<Journal> {
  const { stateFile } = collection.files;
  const journal = new Journal({ folder: folderOf(collection), id, stateFile, isDryRun, log });
  await journal.readRest(clock);
  return journal;
}
