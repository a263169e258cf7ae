/** `k8s-sidecar check`: every fault and warning of the settings, or of the sidecars in manifests. Changes nothing. */
import type { Flags } from "../config/collection_settings.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";
import { messageOf } from "../runtime/message_of.ts";
import { counted } from "../runtime/quantities.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { fileOf, withPlaces } from "./fault_places.ts";
import { type Colours, coloursOf, oneLine, wrapText } from "./report.ts";
import { checkCollections, couldMakeFolder } from "./start_checks.ts";

export async function runCheck(
  { flags, pod }: { flags: Flags; pod?: string },
  env: Record<string, string | undefined>,
): Promise<ExitCode> {
  return pod === undefined ? await checkSettings(flags, env) : await checkManifests(pod);
}

async function checkSettings(flags: Flags, env: Record<string, string | undefined>): Promise<ExitCode> {
  const loaded = await loadConfig(env, flags);
  const { config, faults } = loaded;
  const files = checkCollections(
    config.collections,
    config,
    new Set(faults.map(({ setting }) => setting)),
    couldMakeFolder,
  );
  const warnings = [...config.warnings, ...files.warnings];
  faults.push(...await withPlaces([...files.faults, ...files.later], fileOf(loaded, env)));
  const ofLog = await logConfigFaults(config);
  if (config.startsLikeKiwigrid) warnings.push(...ofLog.map(({ message }) => message));
  else faults.push(...ofLog);
  const colours = coloursOf();
  for (const { message } of faults) print("", message, true, colours);
  for (const warning of warnings) print("", warning, false, colours);
  return summary(faults.length, warnings.length, "");
}

async function logConfigFaults({ log: { configFile } }: Config): Promise<Fault[]> {
  if (configFile === undefined) return [];
  const { readLogConfig } = await import("../log/log_config.ts");
  try {
    await readLogConfig(configFile);
    return [];
  } catch (error) {
    return [faultOf("LOG_CONFIG", configFile, messageOf(error))];
  }
}

/** @param file a path, or `-` for stdin */
async function checkManifests(file: string): Promise<ExitCode> {
  let text: string;
  try {
    text = file === "-" ? await new Response(Deno.stdin.readable).text() : await Deno.readTextFile(file);
  } catch (error) {
    // Deno adds which of its calls failed
    const reason = messageOf(error).replace(/ \(os error \d+\)(: .*)?$/, "");
    console.error(`--pod ${file}: cannot be read: ${reason}`);
    return EXIT.configuration;
  }
  const { checkPods } = await import("./pods/check_pods.ts");
  const { containers, findings, unchecked } = await checkPods(text);
  const name = file === "-" ? "stdin" : file;
  const colours = coloursOf();
  for (const { isFault, line, column, where, text } of findings) {
    const place = column === undefined ? `${name}:${line}: ` : `${name}:${line}:${column}: `;
    print(place, where === "" ? text : `${where}: ${text}`, isFault, colours);
  }
  const faults = findings.filter(({ isFault }) => isFault).length;
  if (containers === 0 && faults === 0) {
    const wanted = "LABEL and FOLDER, RESOURCE_NAME and FOLDER, or CONFIG_FILE in its environment";
    print(`${name}: `, `nothing to check: no container has ${wanted}`, true, colours);
    return EXIT.configuration;
  }
  for (const what of unchecked) console.log(wrapText(`not checked: ${what}`));
  return summary(faults, findings.length - faults, `${counted(containers, "container")} checked: `);
}

function print(place: string, text: string, isFault: boolean, { red, yellow }: Colours): void {
  const kind = isFault ? "error: " : "warning: ";
  const paint = isFault ? red : yellow;
  console.log(wrapText(place + kind + oneLine(text)).replace(kind.trim(), paint));
}

function summary(faults: number, warnings: number, about: string): ExitCode {
  const ofWarnings = warnings === 0 ? "" : `, ${counted(warnings, "warning")}`;
  console.log(`${about}${faults === 0 ? "no faults" : counted(faults, "fault")}${ofWarnings}`);
  return faults === 0 ? EXIT.done : EXIT.configuration;
}
