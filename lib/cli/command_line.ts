/** The command line, and the text of `--help`. */
import type { Flags } from "../config/collection_settings.ts";
import { type Fault, faultOf } from "../config/read_settings.ts";
import type { Setting } from "../config/setting.ts";
import { SETTINGS } from "../config/settings.ts";
import { given } from "../runtime/given.ts";

export type Command =
  | { run: "sidecar"; flags: Flags; manifests?: string }
  | { run: "remove-finalizers"; flags: Flags }
  | { run: "healthcheck"; probe?: Probe }
  | { run: "status"; json: boolean }
  | { run: "print-config"; flags: Flags; json: boolean }
  | { run: "print-rbac"; flags: Flags }
  | { run: "check"; flags: Flags; pod?: string }
  | { run: "plan"; flags: Flags; manifests?: string; json: boolean; exitCode: boolean }
  | { run: "explain"; flags: Flags; manifests?: string; json: boolean; subject?: string }
  | { run: "help" }
  | { run: "version" };

/** The endpoint for each word after `healthcheck`. */
export const PROBES = { ready: "/readyz", live: "/livez" } as const;

export type Probe = keyof typeof PROBES;

const COMMANDS = [
  "remove-finalizers",
  "healthcheck",
  "print-config",
  "print-rbac",
  "check",
  "plan",
  "explain",
  "status",
] as const;

/** Commands with `-o json`, and those that may read a folder of manifests. */
const WITH_OUTPUT: readonly Command["run"][] = ["print-config", "status", "plan", "explain"];
const WITH_MANIFESTS: readonly Command["run"][] = ["sidecar", "plan", "explain"];

/** What is not a setting. */
interface Options {
  manifests?: string;
  pod?: string;
  output?: string;
}

const VALUE_FLAGS = {
  "--manifests": "manifests",
  "--pod": "pod",
  "-o": "output",
  "--req-username-file": "reqUsernameFile",
  "--req-password-file": "reqPasswordFile",
} as const;

/** Reads the arguments; never throws. Flags take their value as `--flag value` or `--flag=value`. */
export function parseCommandLine(args: readonly string[]): { command: Command; faults: Fault[] } {
  const faults: Fault[] = [];
  const values: Flags & Options = {};
  let run: Command["run"] = "sidecar";
  let probe: Probe | undefined;
  let subject: string | undefined;
  let exitCode = false;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [flag = "", ...inline] = arg.split("=");
    const property = VALUE_FLAGS[flag as keyof typeof VALUE_FLAGS];
    if (property !== undefined) {
      const value = inline.length > 0 ? inline.join("=") : rest.shift();
      if (value) values[property] = value;
      else faults.push({ setting: flag, message: `${flag} needs a value` });
    } else if (arg === "--help" || arg === "-h") run = "help";
    else if (arg === "--version") run = "version";
    else if (run === "sidecar" && isCommand(arg)) run = arg;
    else if (run === "healthcheck" && probe === undefined && Object.hasOwn(PROBES, arg)) probe = arg as Probe;
    else if (run === "plan" && arg === "--exit-code") exitCode = true;
    else if (run === "explain" && subject === undefined && !arg.startsWith("-")) subject = arg;
    else {
      // The value of a misspelt flag may be a password
      const shown = inline.length > 0 && flag.startsWith("-") ? `${flag}=…` : arg;
      faults.push({ setting: shown, message: `${JSON.stringify(shown)} is not a valid argument: see --help` });
    }
  }
  if (run === "help" || run === "version") return { command: { run }, faults };
  if (run === "healthcheck") return { command: { run, ...given("probe", probe) }, faults };
  const { manifests, pod, output, ...flags } = values;
  if (run === "remove-finalizers" && manifests !== undefined) {
    faults.push({
      setting: "--manifests",
      message: "--manifests does not go with remove-finalizers, which needs a cluster",
    });
  } else if (!WITH_MANIFESTS.includes(run) && manifests !== undefined) faults.push(misplaced("--manifests", run));
  if (run !== "check" && pod !== undefined) faults.push(misplaced("--pod", "check", "goes only with"));
  if (!WITH_OUTPUT.includes(run) && output !== undefined) {
    faults.push(misplaced("-o", WITH_OUTPUT.join(", "), "goes only with"));
  } else if (output !== undefined && output !== "json") faults.push(faultOf("-o", output, "expected json"));
  if (run === "sidecar") return { command: { run, flags, ...given("manifests", manifests) }, faults };
  if (run === "status") return { command: { run, json: output === "json" }, faults };
  if (run === "print-config") return { command: { run, flags, json: output === "json" }, faults };
  const common = { flags, json: output === "json", ...given("manifests", manifests) };
  if (run === "plan") return { command: { run, ...common, exitCode }, faults };
  if (run === "explain") return { command: { run, ...common, ...given("subject", subject) }, faults };
  if (run === "check") return { command: { run, flags, ...given("pod", pod) }, faults };
  return { command: { run, flags }, faults };
}

function isCommand(arg: string): arg is typeof COMMANDS[number] {
  return (COMMANDS as readonly string[]).includes(arg);
}

function misplaced(flag: string, command: string, relation = "does not go with"): Fault {
  return { setting: flag, message: `${flag} ${relation} ${command}` };
}

/** The first screen: 24 lines of 80 characters. */
const USAGE = `k8s-sidecar keeps the data of ConfigMaps and Secrets as files in a folder.

Usage: k8s-sidecar [options]             run until it is stopped
       k8s-sidecar check                 report all faults of the settings
       k8s-sidecar COMMAND [options]     print-config, print-rbac and others
       k8s-sidecar --version | --help

Everything else is set by environment variables. Most runs need some of these:
  LABEL=grafana_dashboard    the label of the objects to select (required)
  LABEL_VALUE=1              the value of that label; default: any
  FOLDER=/tmp/dashboards     the folder for the files (required)
  NAMESPACE=team-a,team-b    where to look; default: ALL
  REQ_URL=http://localhost:3000/reload    the URL to call after files changed

Example, without a cluster, with the objects in the YAML files of a folder:
  LABEL=app FOLDER=./files k8s-sidecar --manifests ./manifests

Endpoints, on port 8080:
  /readyz    200 once all files have been written
  /livez     200 unless the sidecar needs a restart
  /healthz   200 if both are
  /metrics   for Prometheus, /status for people and programs
Documents: https://github.com/deno-k8s-sidecar/deno-k8s-sidecar#readme
All commands, options and variables follow.

Commands
  check [--pod FILE|-]      report every fault and warning of the environment and of CONFIG_FILE, and change nothing.
                            --pod: of the sidecars in manifests instead: helm template … | k8s-sidecar check --pod -
  print-config [-o json]    print every setting, its value and where it comes from; secrets are not shown
  print-rbac                print the least Roles and bindings that the settings need, for kubectl apply -f -
  plan [--exit-code] [-o json]
                            print what a start would create, change and remove, and write nothing. --exit-code: exit 1
                            if that is anything
  explain [NAMESPACE/KIND/NAME|/PATH/OF/A/FILE] [-o json]
                            say whether an object becomes files, or whose a file is, and if not, why and what to do
  status [-o json]          print what the running sidecar of this container does, and what is wrong, problems first
  healthcheck [ready|live]  exit 0 if the sidecar of this container is healthy, else 1
  remove-finalizers         remove our finalizer from all selected objects

Options
  --manifests DIR           run without a cluster: read ConfigMaps and Secrets from the YAML and JSON files of DIR,
                            and follow them as they change
  --req-username-file FILE  takes precedence over REQ_USERNAME_FILE
  --req-password-file FILE  takes precedence over REQ_PASSWORD_FILE
  --version                 print the version
  --help                    print this text

An empty variable counts as unset.
`;

const EXIT_CODES =
  `Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 healthcheck or status failed, plan --exit-code found differences,
or explain found no answer; 2 configuration; 3 the API (METHOD=LIST, plan); 4 files could not be written (METHOD=LIST).
`;

/** The text of `--help`, generated from the table of settings. */
export function helpText(): string {
  const lines = [USAGE];
  let section = "";
  for (const [name, row] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    if (row.section !== section) lines.push(`${section === "" ? "" : "\n"}${section = row.section}`);
    const names = row.alias === undefined ? name : `${name} (${row.alias})`;
    lines.push(`  ${names}`, ...wrap(`${row.meaning.replaceAll("`", "")}. Default: ${defaultText(row)}`, 92, "      "));
  }
  return `${lines.join("\n")}\n\n${EXIT_CODES}`;
}

/** A setting's default in plain text. */
export function defaultText(row: Setting<unknown>): string {
  return (row.shownDefault ?? row.default ?? "none").replaceAll("`", "");
}

function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length >= width) {
      lines.push(indent + line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, indent + line];
}
