/** The commands in the documents. A comment such as `<!-- needs a cluster -->` excuses a block from running here. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { type Block, blocksOf, matches, shownIn } from "./support/documents.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** What the examples of commands find in their working directory. */
const FILES = ["examples", "tests/documents/commands/config", "tests/documents/commands/deployment.yaml"];

const DOCUMENTS = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "bench/README.md",
  ...[...Deno.readDirSync(join(ROOT, "docs"))].map(({ name }) => `docs/${name}`).filter((name) => name.endsWith(".md")),
];

/** Languages of blocks that have no commands in them. */
const OTHER_LANGUAGES = ["", "yaml"];

/** What a block may need that is not everywhere. */
const NEEDS = [
  "a cluster",
  "docker and a cluster",
  "helm and its charts",
  "helm, its charts and a cluster",
  "a release",
  "minutes",
];

/** Runs this test, so it cannot be run by it. */
const ALL_TESTS = "npx -y deno@2.9.6 task test";

const blocks = DOCUMENTS.flatMap((path) =>
  blocksOf(Deno.readTextFileSync(join(ROOT, path))).map((block) => ({ ...block, place: `${path}:${block.line}` }))
);

Deno.test("every block of commands is run or says what it needs", () => {
  assert.ok(blocks.some(({ language }) => language === "sh") && blocks.some(({ needs }) => needs !== undefined));
  for (const { place, language, needs } of blocks) {
    assert.ok(["sh", "console", ...OTHER_LANGUAGES].includes(language), `${place}: language ${language}`);
    assert.ok(needs === undefined || NEEDS.includes(needs), `${place}: needs ${needs}`);
  }
});

for (const block of blocks.filter(({ needs }) => needs === undefined)) {
  if (block.language === "sh") {
    Deno.test(`the commands at ${block.place} succeed`, async () => {
      const script = block.lines.filter((line) => line !== ALL_TESTS).join("\n");
      const { code, output } = await run(`set -e\n${script}`, { isInRepository: true });
      assert.equal(code, 0, output);
    });
  } else if (block.language === "console") {
    Deno.test(`the commands at ${block.place} print what is shown`, async () => {
      for (const { command, output: shown } of shownIn(block)) {
        const { output } = await run(command);
        assert.ok(matches(shown, output.trimEnd().split("\n")), `${command}\n${output}`);
      }
    });
  }
}

Deno.test("the documents' command for all tests is a task", () => {
  assert.ok(blocks.some(({ lines }) => lines.includes(ALL_TESTS)));
  assert.match(project.tasks.test.command, / tests\/$/);
});

Deno.test("matches() compares line by line, and … stands for any lines", () => {
  assert.ok(matches(["a", "…", "d", "…"], ["a", "b", "c", "d", "e"]));
  assert.ok(matches(["a", "…", "b"], ["a", "b"]));
  assert.ok(!matches(["a", "…", "d"], ["a", "b", "d", "e"]));
  assert.ok(!matches(["a"], ["a", "b"]));
});

Deno.test("blocksOf() finds the language, the lines and the need of each block", () => {
  const text = "<!-- needs a cluster -->\n\n```sh\nkubectl get pods\n```\n\n- Item:\n\n  ```console\n  $ a\n  b\n  ```";
  const found: Block[] = blocksOf(text);
  assert.deepEqual(found, [
    { language: "sh", line: 3, lines: ["kubectl get pods"], needs: "a cluster" },
    { language: "console", line: 9, lines: ["$ a", "b"] },
  ]);
});

/** Runs a script where `k8s-sidecar` and `npx -y deno@…` are this project and this Deno; no cluster is known there. */
async function run(script: string, { isInRepository = false } = {}): Promise<{ code: number; output: string }> {
  const home = Deno.makeTempDirSync();
  try {
    for (const path of FILES) Deno.symlinkSync(join(ROOT, path), join(home, basename(path)));
    Deno.mkdirSync(join(home, "bin"));
    const program = (name: string, text: string) =>
      Deno.writeTextFileSync(join(home, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program("k8s-sidecar", `exec "${Deno.execPath()}" run --quiet -A "${ROOT}main.ts" "$@"`);
    program("npx", `shift 2\nexec "${Deno.execPath()}" "$@"`);
    const environment = Deno.env.toObject();
    const cache = environment.XDG_CACHE_HOME ?? join(environment.HOME ?? "", ".cache");
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", `{ ${script}\n} 2>&1`],
      cwd: isInRepository ? ROOT : home,
      clearEnv: true,
      env: {
        PATH: `${join(home, "bin")}:${environment.PATH}`,
        HOME: home,
        DENO_DIR: environment.DENO_DIR ?? join(cache, "deno"),
      },
    }).output();
    return { code, output: new TextDecoder().decode(stdout) };
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
}
