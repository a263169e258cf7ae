/** The entrypoint: the only file that reads the environment and the arguments, hears signals and ends the process. */
import { systemClock } from "./lib/clock.ts";
import { parseCommandLine } from "./lib/command_line.ts";
import { type Config, type LogSettings, parseConfig } from "./lib/config.ts";
import { type Credentials, findCredentials } from "./lib/kube/credentials.ts";
import { type Log, openLog } from "./lib/log.ts";
import { giveUpPermissions } from "./lib/permissions.ts";
import { noProxyWithLoopback } from "./lib/http/proxy.ts";
import { type Fault, faultOf } from "./lib/settings.ts";
import { EXIT, type ExitCode, runRemoveFinalizers, runSidecar } from "./lib/sidecar.ts";
import { checkStart, StartError } from "./lib/start_checks.ts";
import { whenAborted } from "./lib/when_aborted.ts";

/** Milliseconds after a signal in which everything has to be put down. */
const STOP_TIMEOUT = 600;

async function main(): Promise<ExitCode> {
  const stop = hearSignals();
  const { command, faults } = parseCommandLine(Deno.args);
  if (command.run === "help") {
    const { helpText } = await import("./lib/command_line.ts");
    console.log(helpText());
    return EXIT.done;
  }
  if (command.run === "version") {
    const { COMMIT, VERSION } = await import("./lib/version.ts");
    console.log(COMMIT === "" ? VERSION : `${VERSION} (${COMMIT})`);
    return EXIT.done;
  }

  const env = Deno.env.toObject();
  // Deno would send even requests to this machine through a proxy
  Deno.env.set("NO_PROXY", noProxyWithLoopback(env));
  const { config, faults: configFaults } = parseConfig(env, command.flags);
  // Taking finalizers off needs no folder
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
  const options = { config, credentials: start.credentials, env, clock: systemClock, random: Math.random, log };
  if (isRemoval) return await runRemoveFinalizers(options, stop);
  return await runSidecar(options, stop);
}

/** A signal that aborts when the process is told to stop. */
function hearSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      stop.abort(new Error(signal));
      setTimeout(() => Deno.exit(EXIT.done), STOP_TIMEOUT);
    });
  }
  return stop.signal;
}

async function startLog(settings: LogSettings): Promise<{ log: Log; faults: Fault[] }> {
  const { level, levelIsSet, configFile, utc } = settings;
  const format = settings.format ?? (Deno.stdout.isTerminal() ? "TEXT" : "JSON");
  const outputs = [{ to: "stdout", format } as const];
  if (configFile === undefined) return { log: await openLog({ level, outputs, utc }), faults: [] };
  const { readLogConfig } = await import("./lib/log_config.ts");
  try {
    const file = await readLogConfig(configFile);
    const log = await openLog({ level: levelIsSet ? level : file.level, outputs: file.outputs, utc });
    return { log, faults: [] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      log: await openLog({ level, outputs, utc }),
      faults: [faultOf("LOG_CONFIG", configFile, reason)],
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
  const { serveManifests } = await import("./lib/embedded/manifests.ts");
  const { plainCredentials } = await import("./lib/kube/credentials.ts");
  const server = await serveManifests(manifests, { log, signal }).catch((error) => {
    throw new StartError("--manifests", error.message, { cause: error });
  });
  return plainCredentials(server.url);
}

/** One line for each fault. */
function describeFaults(faults: readonly Fault[]): string {
  return faults.map(({ message }) => `configuration error: ${message.replace(/\s*[\r\n]+\s*/g, " ")}`).join("\n");
}

if (import.meta.main) Deno.exit(await main());
