import assert from "node:assert/strict";
import { type Command, defaultText, helpText, parseCommandLine } from "../../lib/cli/command_line.ts";
import type { Setting } from "../../lib/config/setting.ts";
import { SETTINGS } from "../../lib/config/settings.ts";

Deno.test("parseCommandLine() understands every argument, with flags as --flag value and --flag=value", () => {
  const cases: [args: string[], command: Command][] = [
    [[], { run: "sidecar", flags: {} }],
    [["--help"], { run: "help" }],
    [["-h"], { run: "help" }],
    [["--version"], { run: "version" }],
    [["remove-finalizers"], { run: "remove-finalizers", flags: {} }],
    [["print-config"], { run: "print-config", flags: {}, json: false }],
    [["print-config", "-o", "json", "--req-password-file=/p"], {
      run: "print-config",
      flags: { reqPasswordFile: "/p" },
      json: true,
    }],
    [["print-rbac"], { run: "print-rbac", flags: {} }],
    [["check"], { run: "check", flags: {} }],
    [["check", "--pod", "-"], { run: "check", flags: {}, pod: "-" }],
    [["--pod=pod.yaml", "check"], { run: "check", flags: {}, pod: "pod.yaml" }],
    [["--manifests", "dir"], { run: "sidecar", flags: {}, manifests: "dir" }],
    [["--manifests=a=b"], { run: "sidecar", flags: {}, manifests: "a=b" }],
    [["--req-username-file", "/u", "--req-password-file=/p"], {
      run: "sidecar",
      flags: { reqUsernameFile: "/u", reqPasswordFile: "/p" },
    }],
  ];
  for (const [args, command] of cases) assert.deepEqual(parseCommandLine(args), { command, faults: [] });
});

Deno.test("parseCommandLine() reports unknown arguments and flags without a value", () => {
  const { command, faults } = parseCommandLine([
    "run",
    "--verbose",
    "--version=1",
    "--manifests=",
    "--req-username-file",
  ]);
  assert.deepEqual(command, { run: "sidecar", flags: {} });
  assert.deepEqual(faults.map(({ message }) => message), [
    '"run" is not a valid argument: see --help',
    '"--verbose" is not a valid argument: see --help',
    '"--version=…" is not a valid argument: see --help',
    "--manifests needs a value",
    "--req-username-file needs a value",
  ]);
});

Deno.test("parseCommandLine() refuses remove-finalizers with --manifests", () => {
  for (const args of [["--manifests=dir", "remove-finalizers"], ["remove-finalizers", "--manifests", "dir"]]) {
    assert.deepEqual(parseCommandLine(args).faults, [{
      setting: "--manifests",
      message: "--manifests does not go with remove-finalizers, which needs a cluster",
    }]);
  }
});

Deno.test("parseCommandLine() reads plan and explain", () => {
  const cases: [args: string[], command: unknown][] = [
    [["plan"], { run: "plan", flags: {}, json: false, exitCode: false }],
    [["plan", "--exit-code", "-o=json", "--manifests", "m"], {
      ...{ run: "plan", flags: {}, json: true, exitCode: true, manifests: "m" },
    }],
    [["explain"], { run: "explain", flags: {}, json: false }],
    [["explain", "a/cm/b", "-o", "json"], { run: "explain", flags: {}, json: true, subject: "a/cm/b" }],
  ];
  for (const [args, command] of cases) assert.deepEqual(parseCommandLine(args), { command, faults: [] });
  assert.equal(parseCommandLine(["explain", "a", "b"]).faults.length, 1);
  assert.equal(parseCommandLine(["check", "--exit-code"]).faults.length, 1);
});

Deno.test("parseCommandLine() refuses flags of other commands, and a second command", () => {
  const cases: [args: string[], message: string][] = [
    [["--pod", "-"], "--pod goes only with check"],
    [["print-rbac", "-o", "json"], "-o goes only with print-config, status, plan, explain"],
    [["check", "--manifests", "dir"], "--manifests does not go with check"],
    [["print-config", "-o", "yaml"], '-o="yaml": expected json'],
    [["check", "print-rbac"], '"print-rbac" is not a valid argument: see --help'],
  ];
  for (const [args, message] of cases) {
    assert.deepEqual(parseCommandLine(args).faults.map((one) => one.message), [message]);
  }
});

Deno.test("parseCommandLine() hides the value of an unknown flag", () => {
  const [fault] = parseCommandLine(["--req-password=geheim"]).faults;
  assert.equal(fault?.message, '"--req-password=…" is not a valid argument: see --help');
});

Deno.test("helpText() lists variables, defaults and exit codes in short lines", () => {
  const help = helpText();
  const lines = help.split("\n");
  for (const [name, row] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    const at = lines.findIndex((line) => line.trim().split(" ")[0] === name);
    assert.ok(at >= 0, name);
    const next = lines.findIndex((line, index) => index > at && !line.startsWith("      "));
    const entry = lines.slice(at + 1, next).map((line) => line.trim()).join(" ");
    assert.equal(entry, `${row.meaning.replaceAll("`", "")}. Default: ${defaultText(row)}`);
    assert.ok(help.includes(row.section), row.section);
  }
  assert.match(help, /^ {2}HEALTH_PORT \(HEALTHCHECK_PORT\)$/m);
  assert.match(help, /Exit codes: 0 [^]* 2 [^]* 3 [^]* 4 /);
  assert.deepEqual(lines.filter((line) => line.length > 120), []);
  assert.doesNotMatch(help, /`|undefined/);
});

Deno.test("helpText() lists the commands", () => {
  const [, commands = ""] = /\nCommands\n([^]*?)\n\n/.exec(helpText()) ?? [];
  for (const command of ["check", "print-config", "print-rbac", "healthcheck", "remove-finalizers"]) {
    assert.match(commands, new RegExp(`^  ${command}( |$)`, "m"));
  }
});

Deno.test("helpText() begins with a screen that is enough to start", () => {
  const screen = helpText().split("\n").slice(0, 24);
  assert.deepEqual(screen.filter((line) => line.length > 80), []);
  const wanted = ["Usage: k8s-sidecar", "Example", "/readyz", "/livez", "/healthz", "/metrics", "Documents: https://"];
  const settings = ["LABEL=", "LABEL_VALUE=", "FOLDER=", "NAMESPACE=", "REQ_URL="];
  for (const text of [...wanted, ...settings]) assert.ok(screen.join("\n").includes(text), text);
  assert.ok(screen.at(-1)?.includes("follow"), screen.join("\n"));
});

Deno.test("defaultText() is the default as a reader understands it", () => {
  assert.equal(defaultText(SETTINGS.METHOD), "WATCH");
  assert.equal(defaultText(SETTINGS.LABEL), "required");
  assert.equal(defaultText(SETTINGS.SCRIPT), "none");
  assert.equal(defaultText(SETTINGS.LOG_FORMAT), "TEXT on a terminal, else JSON");
});

Deno.test("parseCommandLine() knows status, in words and as JSON", () => {
  assert.deepEqual(parseCommandLine(["status"]), { command: { run: "status", json: false }, faults: [] });
  assert.deepEqual(parseCommandLine(["status", "-o", "json"]).command, { run: "status", json: true });
  assert.equal(parseCommandLine(["status", "--pod", "x"]).faults.length, 1);
});

Deno.test("parseCommandLine() knows healthcheck and its probes", () => {
  assert.deepEqual(parseCommandLine(["healthcheck"]), { command: { run: "healthcheck" }, faults: [] });
  assert.deepEqual(parseCommandLine(["healthcheck", "live"]).command, { run: "healthcheck", probe: "live" });
  assert.equal(parseCommandLine(["healthcheck", "dead"]).faults.length, 1);
  assert.equal(parseCommandLine(["ready"]).faults.length, 1);
});
