/** Runs the command of the command line with the settings of the environment, and returns the exit code. */
import { systemClock } from "../runtime/clock.ts";
import { type Command, helpText, parseCommandLine } from "./command_line.ts";
import { type Config, type LogSettings, parseConfig } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { findCredentials } from "../kube/client/find_credentials.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { redactServer } from "../http/transport.ts";
import type { Log } from "../log/log.ts";
import { openLog } from "../log/open_log.ts";
import type { LimitedLog } from "../log/rate_limit.ts";
import type { FollowedConfigOptions } from "./followed_config.ts";
import { given } from "../runtime/given.ts";
import type { FollowedFile } from "../sidecar/collections/reload.ts";
import { fileOf, withPlaces } from "./fault_places.ts";
import { giveUpPermissions } from "./permissions.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";
import { configFilesOf, folderOf } from "../sidecar/opening/open_files.ts";
import { runSidecar } from "../sidecar/sidecar.ts";
import { describeFaults } from "./report.ts";
import { logStrayErrors } from "./stray_errors.ts";
import { checkStart } from "./start_checks.ts";
import { COMMIT, VERSION } from "./version.ts";
import { messageOf } from "../runtime/message_of.ts";
import { whenAborted } from "../runtime/when_aborted.ts";

/**
 * @param stop aborts when the process must stop, with an error whose message is the name of the signal
 * @param onHangup calls a listener at each SIGHUP
 */
export async function runProgram(
  args: readonly string[],
  env: Record<string, string | undefined>,
  stop: AbortSignal,
  onHangup: (listener: () => void) => void,
): Promise<ExitCode> {
  const { command, faults } = parseCommandLine(args);
  if (command.run === "help") {
    console.log(helpText());
    return EXIT.done;
  }
  if (command.run === "version") {
    console.log(COMMIT === "" ? VERSION : `${VERSION} (${COMMIT})`);
    return EXIT.done;
  }

  if (command.run === "healthcheck" && faults.length === 0) {
    const { runHealthcheck } = await import("./healthcheck.ts");
    return await runHealthcheck(parseConfig(env), command.probe);
  }

  if (command.run === "status" && faults.length === 0) {
    const { runStatus } = await import("./status.ts");
    return await runStatus(command, parseConfig(env));
  }

  if (isReport(command)) {
    if (faults.length === 0) return await runReport(command, env, stop);
    console.error(describeFaults(faults));
    return EXIT.configuration;
  }

  if (faults.some(({ setting }) => !setting.startsWith("-"))) {
    // An unknown command: the settings are not what is wrong
    console.error(describeFaults(faults));
    return EXIT.configuration;
  }

  const loaded = await loadConfig(env, "flags" in command ? command.flags : {});
  const { config, faults: configFaults, text } = loaded;
  // remove-finalizers does not use the folder
  const isRemoval = command.run === "remove-finalizers";
  faults.push(...configFaults.filter(({ setting }) => !(isRemoval && setting === "FOLDER")));
  const { log, faults: logFaults } = await startLog(config.log);
  const warnings = [...config.warnings];
  if (config.startsLikeKiwigrid) warnings.push(...logFaults.map(({ message }) => message));
  else faults.push(...logFaults);
  const strayErrors = logStrayErrors(log);
  using _ = { [Symbol.dispose]: () => (strayErrors[Symbol.dispose](), log.flush()) };
  stop.addEventListener("abort", () => log.info(`${stop.reason.message}: stopping`), { once: true });

  const broken = new Set([...configFaults.map(({ setting }) => setting), ...(isRemoval ? ["FOLDER"] : [])]);
  const dir = command.run === "sidecar" ? command.manifests : undefined;
  const onWarning = (message: string) => void warnings.push(message);
  const findAccess = dir === undefined ? () => findCredentials({ ...config.api, env, onWarning }) : undefined;
  const checks = Promise.all([
    checkStart(config, findAccess, broken),
    dir === undefined ? undefined : openManifests(dir, config, log),
  ]);
  const checked = await Promise.race([checks, whenAborted(stop)]);
  if (checked === undefined) return EXIT.done;
  const [{ credentials, server, ...start }, folder] = checked;
  faults.push(...await withPlaces(start.faults, fileOf(loaded, env)), ...folder?.faults ?? []);
  warnings.push(...start.warnings, ...(dir === undefined ? [] : clusterSettings(config)));
  // Before the faults: a misspelt name explains why a setting is missing
  for (const warning of warnings) log.warn(warning);
  if (faults.length > 0) {
    console.error(describeFaults(faults));
    return EXIT.configuration;
  }
  const configFiles = await configFilesOf(config, env);
  await giveUpPermissions({ config, credentials });
  const userAgent = `deno-k8s-sidecar/${VERSION}`;
  const configFile = await followConfig({ config, text, env, onHangup });
  const options = {
    ...{
      config,
      env,
      origin: dir ?? server ?? "",
      configFiles,
      userAgent,
      build: { version: VERSION, revision: COMMIT },
      clock: systemClock,
      random: Math.random,
      log,
    },
    ...given("configFile", configFile),
  };
  if (folder?.manifests !== undefined) {
    announce(config, { origin: dir ?? "" }, log);
    return EXIT[await runSidecar({ ...options, manifests: folder.manifests }, stop)];
  }
  const clusterOptions = { ...options, credentials: credentials! };
  if (!isRemoval) {
    const origin = server === undefined ? "" : redactServer(server);
    announce(config, { origin, access: credentials?.origin }, log);
    return EXIT[await runSidecar(clusterOptions, stop)];
  }
  const { runRemoveFinalizers } = await import("./remove_finalizers.ts");
  return await runRemoveFinalizers(clusterOptions, stop);
}

/** Commands that write nothing. */
type Report = Extract<Command, { run: "print-config" | "print-rbac" | "check" | "plan" | "explain" }>;

const REPORTS: readonly string[] = ["print-config", "print-rbac", "check", "plan", "explain"] satisfies Report["run"][];

function isReport(command: Command): command is Report {
  return REPORTS.includes(command.run);
}

async function runReport(
  command: Report,
  env: Record<string, string | undefined>,
  stop: AbortSignal,
): Promise<ExitCode> {
  switch (command.run) {
    case "print-config":
      return await (await import("./print_config.ts")).runPrintConfig(command, env);
    case "print-rbac":
      return await (await import("./print_rbac.ts")).runPrintRbac(command.flags, env);
    case "check":
      return await (await import("./check.ts")).runCheck(command, env);
    case "plan":
      return await (await import("./plan.ts")).runPlan(command, env, stop);
    case "explain":
      return await (await import("./explain.ts")).runExplain(command, env, stop);
  }
}

async function followConfig(
  { text, ...options }: Omit<FollowedConfigOptions, "path" | "text"> & { text: string | undefined },
): Promise<FollowedFile | undefined> {
  const { configFile: path, method } = options.config;
  if (path === undefined || text === undefined || method === "LIST") return undefined;
  const { followedConfig } = await import("./followed_config.ts");
  return followedConfig({ path, text, ...options });
}

async function startLog(settings: LogSettings): Promise<{ log: LimitedLog; faults: Fault[] }> {
  const { level, levelIsSet, configFile, utc } = settings;
  const format = settings.format ?? (Deno.stdout.isTerminal() ? "TEXT" : "JSON");
  const outputs = [{ to: "stdout", format } as const];
  if (configFile === undefined) return { log: await openLog({ level, outputs, utc, clock: systemClock }), faults: [] };
  const { readLogConfig } = await import("../log/log_config.ts");
  try {
    const file = await readLogConfig(configFile);
    const log = await openLog({
      level: levelIsSet ? level : file.level,
      outputs: file.outputs,
      utc,
      clock: systemClock,
    });
    return { log, faults: [] };
  } catch (error) {
    return {
      log: await openLog({ level, outputs, utc, clock: systemClock }),
      faults: [faultOf("LOG_CONFIG", configFile, messageOf(error))],
    };
  }
}

/** `--manifests`: opens the folder as a source of objects. */
async function openManifests(
  dir: string,
  { collections }: Config,
  log: Log,
): Promise<{ manifests?: ObjectApi; faults: Fault[] }> {
  const { FolderError, FolderSource } = await import("../manifests/folder_source.ts");
  const outputs = collections.map(folderOf);
  try {
    return { manifests: await FolderSource.open(dir, { outputs, clock: systemClock, log }), faults: [] };
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
    return { faults: error.faults.map((message) => ({ setting: "--manifests", message })) };
  }
}

/**
 * Logs which program runs and where objects come from. A line for each collection follows.
 *
 * @param origin the URL of the API server, or the folder of manifests
 * @param access the credentials for the API server, in words
 */
function announce({ method }: Config, { origin, access }: { origin: string; access?: string | undefined }, log: Log) {
  const program = COMMIT === "" ? VERSION : `${VERSION} (${COMMIT})`;
  const server = origin.replace(/\/\/[^/@]*@/, "//");
  log.info(
    `k8s-sidecar ${program}: METHOD=${method}, objects of ${server}${access === undefined ? "" : ` with ${access}`}`,
    { version: VERSION, ...given("revision", COMMIT || undefined), method, origin: server, ...given("access", access) },
  );
}

/** A warning for each setting that has no effect without a cluster. */
function clusterSettings({ events, finalizer, health, collections }: Config): string[] {
  const isSet: Record<string, boolean> = {
    EVENT_LOGGING: events,
    FINALIZERS: finalizer !== undefined,
    NAMESPACE_SELECTOR: collections.some(({ selection }) => selection.namespaceSelector !== undefined),
    K8S_CONTACT_THRESHOLD_SECONDS: health.contactThreshold !== undefined,
  };
  const settings = Object.keys(isSet).filter((name) => isSet[name]);
  return settings.map((name) => `${name} has no effect with --manifests: it needs a cluster`);
}
