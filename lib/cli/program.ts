/** Does what the command line and the environment say, and returns the exit code. */
import { systemClock } from "../runtime/clock.ts";
import { helpText, parseCommandLine } from "./command_line.ts";
import { type Config, type LogSettings, parseConfig } from "../config/config.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { type Credentials, findCredentials } from "../kube/client/credentials.ts";
import { type Log, openLog } from "../log/log.ts";
import { giveUpPermissions } from "./permissions.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";
import { runRemoveFinalizers, runSidecar } from "../sidecar/sidecar.ts";
import { checkStart, StartError } from "./start_checks.ts";
import { COMMIT, VERSION } from "./version.ts";
import { messageOf } from "../runtime/message_of.ts";
import { whenAborted } from "../runtime/when_aborted.ts";

/** @param stop aborts when the process has to stop, with an error whose message is the name of the signal */
export async function runProgram(
  args: readonly string[],
  env: Record<string, string | undefined>,
  stop: AbortSignal,
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

  const { config, faults: configFaults } = parseConfig(env, command.flags);
  // remove-finalizers needs no folder
  const isRemoval = command.run === "remove-finalizers";
  faults.push(...configFaults.filter(({ setting }) => !(isRemoval && setting === "FOLDER")));
  const { log, faults: logFaults } = await startLog(config.log);
  faults.push(...logFaults);
  stop.addEventListener("abort", () => log.info(`${stop.reason.message}: stopping`), { once: true });

  const broken = new Set([...configFaults.map(({ setting }) => setting), ...(isRemoval ? ["FOLDER"] : [])]);
  const checks = checkStart(config, () => openCredentials(config, env, command.manifests, log, stop), broken);
  const start = await Promise.race([checks, whenAborted(stop)]);
  if (start === undefined) return EXIT.done;
  faults.push(...start.faults);
  if (faults.length > 0 || start.credentials === undefined) {
    console.error(describeFaults(faults));
    return EXIT.configuration;
  }
  await giveUpPermissions(config, start.credentials);
  for (const warning of config.warnings) log.warn(warning);
  const options = {
    config,
    credentials: start.credentials,
    env,
    userAgent: `deno-k8s-sidecar/${VERSION}`,
    clock: systemClock,
    random: Math.random,
    log,
  };
  return EXIT[await (isRemoval ? runRemoveFinalizers : runSidecar)(options, stop)];
}

async function startLog(settings: LogSettings): Promise<{ log: Log; faults: Fault[] }> {
  const { level, levelIsSet, configFile, utc } = settings;
  const format = settings.format ?? (Deno.stdout.isTerminal() ? "TEXT" : "JSON");
  const outputs = [{ to: "stdout", format } as const];
  if (configFile === undefined) return { log: await openLog({ level, outputs, utc }), faults: [] };
  const { readLogConfig } = await import("../log/log_config.ts");
  try {
    const file = await readLogConfig(configFile);
    const log = await openLog({ level: levelIsSet ? level : file.level, outputs: file.outputs, utc });
    return { log, faults: [] };
  } catch (error) {
    return {
      log: await openLog({ level, outputs, utc }),
      faults: [faultOf("LOG_CONFIG", configFile, messageOf(error))],
    };
  }
}

/** The way to the API server; with `--manifests` to our own. */
async function openCredentials(
  config: Config,
  env: Record<string, string | undefined>,
  manifests: string | undefined,
  log: Log,
  signal: AbortSignal,
): Promise<Credentials> {
  if (manifests === undefined) return await findCredentials({ ...config.api, env });
  const { serveManifests } = await import("../../tests/apiserver/manifests.ts");
  const { plainCredentials } = await import("../kube/client/credentials.ts");
  const server = await serveManifests(manifests, { log, signal }).catch((error) => {
    throw new StartError("--manifests", error.message, { cause: error });
  });
  return plainCredentials(server.url);
}

/** A line for each fault. */
function describeFaults(faults: readonly Fault[]): string {
  return faults.map(({ message }) => `configuration error: ${message.replace(/\s*[\r\n]+\s*/g, " ")}`).join("\n");
}
