import assert from "node:assert/strict";
import { architectureFaults, readImportTable, type SourceFiles } from "./support/architecture.ts";

const MAX_LINES = 300;

const TABLE = `Some text.

| Folder | May import |
| ------ | ---------- |
| \`main.ts\` | \`top\` |
| \`top\` | \`base\`, \`mid/api\` |
| \`mid\` | \`base\` |
| \`base\` | nothing |

| Folder | What it holds |
`;

/** Faults of a tree that has a file for each row of {@link TABLE}, and the given ones. */
function faultsOf(files: Record<string, string>): string[] {
  const tree = { "main.ts": "", "lib/top/a.ts": "", "lib/mid/a.ts": "", "lib/base/a.ts": "", ...files };
  return architectureFaults(new Map(Object.entries(tree)), readImportTable(TABLE));
}

Deno.test("readImportTable() reads folders and what they may import", () => {
  assert.deepEqual([...readImportTable(TABLE)], [
    ["main.ts", ["lib/top"]],
    ["lib/top", ["lib/base", "lib/mid/api"]],
    ["lib/mid", ["lib/base"]],
    ["lib/base", []],
  ]);
});

Deno.test("architectureFaults() accepts what the table allows", () => {
  const faults = faultsOf({
    "main.ts": 'import { a } from "./lib/top/a.ts";',
    "lib/top/a.ts": 'import {\n  a,\n  b,\n} from "../mid/api/a.ts";\nimport "npm:yaml";\nexport * from "./b.ts";',
    "lib/top/b.ts":
      '/** Not `import("../mid/a.ts")`. */\n// import("../mid/a.ts")\nimport type { a } from "../base/a.ts";',
  });
  assert.deepEqual(faults, []);
});

for (
  const [what, line] of [
    ["an import", 'import { a } from "../mid/a.ts";'],
    ["an import over several lines", 'import {\n  a,\n  type B,\n} from "../mid/a.ts";'],
    ["an import of a type", 'import type { A } from "../mid/a.ts";'],
    ["an import of everything", 'import * as mid from "../mid/a.ts";'],
    ["an import without a name", 'import "../mid/a.ts";'],
    ["a re-export", 'export { a } from "../mid/a.ts";'],
    ["a dynamic import", 'const { a } = await import("../mid/a.ts");'],
    ["the type of a module", 'type A = typeof import("../mid/a.ts");'],
  ] as const
) {
  Deno.test(`architectureFaults() names ${what} that the table does not allow`, () => {
    assert.deepEqual(faultsOf({ "lib/top/a.ts": line }), ["lib/top/a.ts imports lib/mid/a.ts"]);
  });
}

Deno.test("architectureFaults() names imports from outside and loose files", () => {
  assert.deepEqual(faultsOf({ "lib/base/a.ts": 'import "../../tests/a.ts";', "lib/b.ts": 'import "./base/a.ts";' }), [
    "lib/base/a.ts imports tests/a.ts",
    "lib/b.ts is in no folder of the table",
  ]);
});

Deno.test("architectureFaults() names what it cannot check", () => {
  assert.deepEqual(faultsOf({ "lib/top/a.ts": "await import(name);" }), [
    "lib/top/a.ts has an import() that is not of a literal, so it cannot be checked",
  ]);
  const table = readImportTable(TABLE + "\n");
  assert.deepEqual(architectureFaults(new Map([["main.ts", ""], ["lib/top/a.ts", ""], ["lib/mid/a.ts", ""]]), table), [
    "the table has a row for lib/base, which is not there",
  ]);
});

Deno.test("architectureFaults() names circles, of types and dynamic imports too", () => {
  const files = {
    "lib/mid/a.ts": 'import { b } from "./b.ts";',
    "lib/mid/b.ts": 'import type { C } from "./c.ts";',
    "lib/mid/c.ts": 'await import("./a.ts");',
    "lib/mid/d.ts": 'import { a } from "./a.ts";',
  };
  assert.deepEqual(faultsOf(files), ["circle: lib/mid/a.ts > lib/mid/b.ts > lib/mid/c.ts > lib/mid/a.ts"]);
});

const root = new URL("../", import.meta.url);
const contributing = Deno.readTextFileSync(new URL("CONTRIBUTING.md", root));

function sourceFiles(): SourceFiles {
  const below = (folder: string): string[] =>
    [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) =>
      isDirectory ? below(`${folder}/${name}`) : [`${folder}/${name}`]
    );
  const paths = ["main.ts", ...below("lib").sort()];
  return new Map(paths.map((path) => [path, Deno.readTextFileSync(new URL(path, root))]));
}

Deno.test("Imports follow the table in CONTRIBUTING.md", () => {
  const table = readImportTable(contributing);
  assert.ok(table.size > 0, "CONTRIBUTING.md has no table `| Folder | May import |`");
  assert.deepEqual(architectureFaults(sourceFiles(), table), []);
});

Deno.test("No file in lib/ is longer than 300 lines", () => {
  const lengths = [...sourceFiles()].map(([path, text]) => [path, text.trimEnd().split("\n").length] as const);
  assert.deepEqual(lengths.filter(([, lines]) => lines > MAX_LINES), []);
});

Deno.test("CONTRIBUTING.md names files that exist", () => {
  const files = [...sourceFiles().keys()];
  // A list item for each folder: - `folder`: `file.ts` (what it does), …
  const items = contributing.matchAll(/^- `(\w+)`: ((?:.|\n(?!- |\n))*)/gm);
  const named = [...items].flatMap(([, folder, text = ""]) =>
    [...text.matchAll(/`(\w+\.ts)`/g)].map(([, name]) => ({ folder: `lib/${folder}/`, name: `/${name}` }))
  );
  assert.ok(named.length > 0);
  const missing = named.filter(({ folder, name }) =>
    !files.some((file) => file.startsWith(folder) && file.endsWith(name))
  );
  assert.deepEqual(missing, []);
});
