/**
 * Builds `dist/k8s-sidecar`, a single executable, with the Deno that runs this script.
 *
 *     compile.ts [--target linux-amd64|linux-arm64] [--commit COMMIT] [--output FILE]
 *
 * The modules are bundled first. Otherwise 62 MB of npm packages would be embedded, and a running sidecar keeps most of
 * that in memory; the bundle has one megabyte. Modules that are imported lazily remain separate files in the bundle.
 * For Linux, Deno's base binary loses its symbols.
 */
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import { strippedBase } from "./stripped_base.ts";

const TARGETS: Record<string, string> = {
  "linux-amd64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
};

/** Stands for the commit in `lib/cli/version.ts`. */
const COMMIT_PLACEHOLDER = "@commit@";

/**
 * Loads a module of Node's for the bundle's CommonJS packages when they call it. The bundler's own `require` would load
 * Node's module loader at every start (2 MB, 17 ms), although only kubeconfigs need these packages.
 */
const REQUIRE = "const require=name=>{const found=process.getBuiltinModule(name);" +
  "if(found===undefined)throw new Error(`Cannot find module '${name}'`);return found};";

/** The bundler's own `require`. */
const BUNDLERS_REQUIRE =
  /import ?\{ ?createRequire as (\w+) ?\} ?from ?"node:module";\s*var (\w+) ?= ?\1\(import\.meta\.url\);/;

/** LogTape's `inspect`, for runtimes without `Deno.inspect`; from source, `--conditions=browser` leaves it out. */
const LOGTAPES_INSPECT = /import (\w+) from ?"node:util"/;

/**
 * The YAML library's imports of Node's modules, which it can do without: for a warning, for a variable that turns its
 * debugging on, and for a `Buffer` where there is no `atob`. They cost 2 MB.
 */
const YAMLS_MODULES = /\b[\w$]+\("(?:node:)?(process|buffer)"\)/g;

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
const work = await Deno.makeTempDir({ prefix: "k8s-sidecar-" });
try {
  await compile();
} catch (error) {
  console.error(`not compiled: ${(error as Error).message}`);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(work, { recursive: true });
}

async function compile(): Promise<void> {
  const bundle = `${work}/bundle`;
  await deno(["bundle", "--quiet", "--platform=deno", "--minify", "--code-splitting", `--outdir=${bundle}`, "main.ts"]);
  finishBundle(bundle, values.commit ?? await currentCommit());
  const base = await strippedBase(target ?? Deno.build.target, work);
  const more = target === undefined ? [] : [`--target=${target}`];
  // Without the project's lock file, which would embed the packages again
  const args = [
    "--no-config",
    "--no-lock",
    "--no-check",
    "--no-code-cache",
    ...runFlags(),
    ...more,
    `--output=${output}`,
  ];
  await deno(["compile", "--quiet", ...args, `${bundle}/main.js`], base === undefined ? {} : { DENORT_BIN: base });
  const { size } = await Deno.stat(output);
  console.log(`${output}: ${(size / 1e6).toFixed(1)} MB`);
}

/** Permissions and V8 flags: those of the task `start`. */
function runFlags(): string[] {
  const flags = / deno run --quiet (.*) main\.ts$/.exec(project.tasks.start.command)?.[1];
  if (flags === undefined) throw new Error("the task `start` in deno.json is not `deno run --quiet FLAGS main.ts`");
  return flags.split(" ");
}

/** Inserts the commit, and makes Node's modules load when they are needed instead of at the start. */
function finishBundle(directory: string, commit: string): void {
  let commits = 0;
  for (const { name } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    const parts = Deno.readTextFileSync(path).split(COMMIT_PLACEHOLDER);
    commits += parts.length - 1;
    let text = parts.join(commit || COMMIT_PLACEHOLDER);
    text = text.replace(BUNDLERS_REQUIRE, (_, __, name) => `${REQUIRE}const ${name}=require;`);
    if (text.includes("logtape")) text = text.replace(LOGTAPES_INSPECT, (_, name) => `const ${name}=Deno`);
    if (text.includes("LOG_TOKENS")) {
      text = text.replaceAll(YAMLS_MODULES, (_, name) => name === "process" ? "({env:{},emitWarning(){}})" : "({})");
    }
    Deno.writeTextFileSync(path, text);
    // The binary has the times: with these, the same source makes the same binary
    Deno.utimeSync(path, 0, 0);
  }
  assertDisposals(directory);
  if (commits !== 1) throw new Error(`${COMMIT_PLACEHOLDER} is in the bundle ${commits} times instead of once`);
  for (const path of filesOfTheStart(directory)) {
    const [found] = /from ?"node:\w+"/.exec(Deno.readTextFileSync(path)) ?? [];
    if (found !== undefined) throw new Error(`${path} is loaded at every start and imports ${found}`);
  }
}

/**
 * The minifier drops a `using` whose variable is used once, in the statement that follows, and with it the disposal (Deno
 * 2.9.4): a temporary file or a timer would stay behind.
 */
function assertDisposals(directory: string): void {
  const count = (text: string) => [...text.matchAll(/\busing [\w$]+ ?=/g)].length;
  const total = (paths: Iterable<string>) =>
    [...paths].reduce((sum, path) => sum + count(Deno.readTextFileSync(path)), 0);
  const [written, kept] = [total([`${root}main.ts`, ...filesBelow(`${root}lib`)]), total(filesBelow(directory))];
  if (kept !== written) {
    throw new Error(`the bundle has ${kept} of ${written} \`using\`: write the others as try and finally`);
  }
}

function* filesBelow(directory: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) yield* filesBelow(`${directory}/${name}`);
    else yield `${directory}/${name}`;
  }
}

/** The files that the entrypoint imports, directly or not, including the program, which it imports at once. */
function filesOfTheStart(directory: string): Set<string> {
  const program = [...Deno.readDirSync(directory)].filter(({ name }) => name.startsWith("program-"));
  if (program.length !== 1) {
    throw new Error(`${program.length} files of the bundle are lib/cli/program.ts instead of one`);
  }
  const files = new Set(["main.js", ...program.map(({ name }) => name)].map((name) => `${directory}/${name}`));
  for (const path of files) {
    const imports = Deno.readTextFileSync(path).matchAll(/(?:from|import) ?"\.\/([\w-]+\.js)"/g);
    for (const [, name] of imports) files.add(`${directory}/${name}`);
  }
  return files;
}

/** Ends with `-dirty` if files differ from the commit; empty if there is no repository. */
async function currentCommit(): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
  try {
    const git = await new Deno.Command("git", { args, cwd: root, stderr: "null" }).output();
    return new TextDecoder().decode(git.stdout).trim();
  } catch {
    return "";
  }
}

async function deno(args: string[], env: Record<string, string> = {}): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args, env, cwd: root }).spawn().status;
  if (!success) throw new Error(`deno ${args[0]} failed`);
}
