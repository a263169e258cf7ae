/** What `plan` and `explain` read: the configuration, and the cluster or a folder of manifests. */
import type { Flags } from "../config/collection_settings.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";
import type { ConfigFile } from "../files/config_files.ts";
import { findCredentials } from "../kube/client/find_credentials.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { SILENT } from "../log/log.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Status } from "../serve/status.ts";
import { openClient } from "../sidecar/opening/open_client.ts";
import { configFilesOf, folderOf } from "../sidecar/opening/open_files.ts";
import { printFaults, printWarning } from "./report.ts";
import { fileOf, withPlaces } from "./fault_places.ts";
import { checkCollections, couldMakeFolder, credentialsFault } from "./start_checks.ts";
import { VERSION } from "./version.ts";
import { versionBefore } from "./version_before.ts";

export interface Reading extends AsyncDisposable {
  config: Config;
  client: ObjectApi;
  /** `undefined` with `--manifests`. */
  credentials: Credentials | undefined;
  /** The URL of the API server, or the folder of manifests. */
  origin: string;
  configFiles: readonly ConfigFile[];
}

/** The settings have faults. */
export interface NoReading {
  /** Of the running sidecar, if only CONFIG_FILE has faults: the sidecar goes on with the version before. */
  before: Status | undefined;
  /** They have been printed. */
  faults: readonly Fault[];
}

/** Prints warnings and faults. Makes no folder. */
export async function openReading(
  { flags, manifests }: { flags: Flags; manifests?: string },
  env: Record<string, string | undefined>,
): Promise<Reading | NoReading> {
  const loaded = await loadConfig(env, flags);
  const { config, faults } = loaded;
  const broken = new Set(faults.map(({ setting }) => setting));
  const checked = checkCollections(config.collections, config, broken, couldMakeFolder);
  const warnings = [...config.warnings, ...checked.warnings];
  faults.push(...await withPlaces([...checked.faults, ...checked.later], fileOf(loaded, env)));
  const opened = manifests === undefined
    ? await openCluster(config, env, (warning) => void warnings.push(warning))
    : await openFolder(manifests, config);
  if ("faults" in opened) faults.push(...opened.faults);
  for (const warning of warnings) printWarning(warning);
  if (faults.length > 0 || "faults" in opened) {
    if (!("faults" in opened)) await opened.client.close();
    printFaults(faults);
    return { before: await versionBefore(faults, env, flags), faults };
  }
  const { client } = opened;
  return {
    ...{ ...opened, config, configFiles: await configFilesOf(config, env) },
    [Symbol.asyncDispose]: async () => void await client.close(),
  };
}

type Opened = Pick<Reading, "client" | "credentials" | "origin"> | { faults: Fault[] };

async function openCluster(
  config: Config,
  env: Record<string, string | undefined>,
  onWarning: (message: string) => void,
): Promise<Opened> {
  try {
    const credentials = await findCredentials({ ...config.api, env, onWarning });
    const { server: origin } = await credentials.load(false);
    const client = openClient(
      { config, credentials, env, userAgent: `deno-k8s-sidecar/${VERSION}`, clock: systemClock, log: SILENT },
      { apiRequest() {} },
      { count() {} },
    );
    return { client, credentials, origin };
  } catch (error) {
    return { faults: [credentialsFault(error, config.api.kubeconfig)] };
  }
}

async function openFolder(dir: string, { collections }: Config): Promise<Opened> {
  const { FolderError, FolderSource } = await import("../manifests/folder_source.ts");
  try {
    const client = await FolderSource.open(dir, {
      ...{ outputs: collections.map(folderOf), clock: systemClock, log: SILENT },
    });
    return { client, credentials: undefined, origin: dir };
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    return { faults: error.faults.map((message) => faultOf("--manifests", dir, message)) };
  }
}
