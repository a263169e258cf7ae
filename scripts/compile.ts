/**
 * Builds `dist/k8s-sidecar`: one file with everything in it, by the Deno that runs this.
 *
 *     compile.ts [--target linux-amd64|linux-arm64] [--commit COMMIT] [--output FILE]
 *
 * The modules are bundled first. As they are, 62 MB of npm packages would be embedded, of which a running sidecar keeps
 * most in memory; of the bundle it is one megabyte. What is imported lazily is a file of its own in the bundle, too.
 */
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };

const TARGETS: Record<string, string> = {
  "linux-amd64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
};

/** What `lib/cli/version.ts` has in place of the commit. */
const COMMIT_PLACEHOLDER = "@commit@";

/**
 * What the bundle's CommonJS packages call to load a module of Node's: when they need it. The bundler's own way loads
 * Node's module loader at the start of every sidecar, for 2 MB and 10 ms, though only kubeconfigs need such packages.
 */
const REQUIRE = "const require=name=>{const found=process.getBuiltinModule(name);" +
  "if(found===undefined)throw new Error(`Cannot find module '${name}'`);return found};";

/** The bundler's own way: Deno 2.9's, and what 2.7 writes in place of one. */
const BUNDLERS_REQUIRE =
  /import ?\{ ?createRequire as (\w+) ?\} ?from ?"node:module";\s*var (\w+) ?= ?\1\(import\.meta\.url\);/;
const MISSING_REQUIRE = "Dynamic require of";

/** LogTape's, for runtimes that have no `Deno.inspect`; from source it is left out by `--conditions=browser`. */
const LOGTAPES_INSPECT = /import (\w+) from ?"node:util"/;

const root = new URL("../", import.meta.url).pathname;
const { values } = parseArgs({
  options: { target: { type: "string" }, commit: { type: "string" }, output: { type: "string" } },
});
const target = values.target === undefined ? undefined : TARGETS[values.target];
if (values.target !== undefined && target === undefined) {
  console.error(`--target ${values.target}: expected ${Object.keys(TARGETS).join(" or ")}`);
  Deno.exit(2);
}
const output = values.output ?? `${root}dist/k8s-sidecar${values.target === undefined ? "" : `-${values.target}`}`;
const bundle = await Deno.makeTempDir({ prefix: "k8s-sidecar-" });
try {
  await deno(["bundle", "--quiet", "--platform=deno", "--minify", "--code-splitting", `--outdir=${bundle}`, "main.ts"]);
  finishBundle(bundle, values.commit ?? await currentCommit());
  const more = target === undefined ? [] : [`--target=${target}`];
  // Outside the project: its lock file would bring the packages in again
  const args = [
    "--no-config",
    "--no-lock",
    "--no-check",
    "--no-code-cache",
    ...runFlags(),
    ...more,
    `--output=${output}`,
  ];
  await deno(["compile", "--quiet", ...args, `${bundle}/main.js`]);
} finally {
  await Deno.remove(bundle, { recursive: true });
}
const { size } = await Deno.stat(output);
console.log(`${output}: ${(size / 1e6).toFixed(1)} MB`);

/** Permissions and V8 flags: those of the task `start`. */
function runFlags(): string[] {
  const flags = / deno run --quiet (.*) main\.ts$/.exec(project.tasks.start.command)?.[1];
  if (flags === undefined) throw new Error("the task `start` in deno.json is not `deno run --quiet FLAGS main.ts`");
  return flags.split(" ");
}

/** Puts the commit in, and loads Node's modules where they are needed, not at the start. */
function finishBundle(directory: string, commit: string): void {
  let commits = 0;
  for (const { name } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    const parts = Deno.readTextFileSync(path).split(COMMIT_PLACEHOLDER);
    commits += parts.length - 1;
    let text = parts.join(commit || COMMIT_PLACEHOLDER);
    if (text.includes(MISSING_REQUIRE)) text = REQUIRE + text;
    text = text.replace(BUNDLERS_REQUIRE, (_, __, name) => `${REQUIRE}const ${name}=require;`);
    if (text.includes("logtape")) text = text.replace(LOGTAPES_INSPECT, (_, name) => `const ${name}=Deno`);
    Deno.writeTextFileSync(path, text);
  }
  if (commits !== 1) throw new Error(`${COMMIT_PLACEHOLDER} is ${commits} times in the bundle, not once`);
  for (const path of filesOfTheStart(directory)) {
    const [found] = /from ?"node:\w+"/.exec(Deno.readTextFileSync(path)) ?? [];
    if (found !== undefined) throw new Error(`${path} is loaded by every sidecar, and imports ${found}`);
  }
}

/** What the entrypoint imports, and what that does, and so on; with the program, which it imports at once. */
function filesOfTheStart(directory: string): Set<string> {
  const program = [...Deno.readDirSync(directory)].filter(({ name }) => name.startsWith("program-"));
  if (program.length !== 1) throw new Error(`${program.length} files of the bundle are lib/cli/program.ts, not one`);
  const files = new Set(["main.js", ...program.map(({ name }) => name)].map((name) => `${directory}/${name}`));
  for (const path of files) {
    const imports = Deno.readTextFileSync(path).matchAll(/(?:from|import) ?"\.\/([\w-]+\.js)"/g);
    for (const [, name] of imports) files.add(`${directory}/${name}`);
  }
  return files;
}

/** `-dirty` at its end when the files are not those of the commit; empty where there is no repository. */
async function currentCommit(): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
  try {
    const git = await new Deno.Command("git", { args, cwd: root, stderr: "null" }).output();
    return new TextDecoder().decode(git.stdout).trim();
  } catch {
    return "";
  }
}

async function deno(args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).spawn().status;
  if (!success) throw new Error(`deno ${args[0]} failed`);
}
