/** The table of dependencies in CONTRIBUTING.md, and what Renovate finds. */
import assert from "node:assert/strict";
import project from "../deno.json" with { type: "json" };
import renovate from "../renovate.json" with { type: "json" };

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));

/** Those that name Deno's version. */
const DOCUMENTS = ["CONTRIBUTING.md", "README.md", "docs/quickstart.md"];

const [, section = ""] = read("CONTRIBUTING.md").split("\n## Dependencies\n");
const [table = ""] = section.split("\n## ");
const rows = [...table.matchAll(/^\| `?([^`|\s]+)`? +\| (\d\S+) +\| (.+?) *\|$/gm)].map(([, what, version]) =>
  [what, version] as const
);

Deno.test("the table of dependencies has those of deno.json, with their versions", () => {
  const expected = Object.entries(project.imports).map(([name, specifier]) => [name, specifier.split("@").at(-1)]);
  assert.deepEqual(rows.slice(1), expected);
  for (const [name, specifier] of Object.entries(project.imports)) {
    assert.match(specifier, new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+$`));
  }
});

Deno.test("every place that names Deno's version names the same", () => {
  const [deno] = rows;
  assert.equal(deno?.[0], "Deno");
  for (const path of ["Dockerfile", ".ci/run", ...DOCUMENTS, "examples/demo.ts", ...workflows()]) {
    const names = /denoland\/deno:([\d.]+)@|deno-version: (\S+)|\bDENO_VERSION=(\S+)|npx -y deno@(\d[\d.]*\d)/g;
    for (const [text, ...versions] of read(path).matchAll(names)) {
      assert.equal(versions.find((version) => version !== undefined), deno?.[1], `${path}: ${text}`);
    }
  }
});

Deno.test("Renovate's own rules find what they are for", () => {
  const paths = [...workflows(), ".ci/run", ...DOCUMENTS, "examples/demo.ts", ...valuesFiles()];
  for (const { description, managerFilePatterns, matchStrings } of renovate.customManagers) {
    const patterns = managerFilePatterns.map((pattern) => new RegExp(pattern.slice(1, -1)));
    const texts = paths.filter((path) => patterns.some((pattern) => pattern.test(path))).map(read);
    for (const match of matchStrings) {
      const found = texts.flatMap((text) => [...text.matchAll(new RegExp(match, "g"))]);
      assert.ok(found.length > 0 && found.every(({ groups }) => groups?.currentValue), `${description}: ${match}`);
    }
  }
});

function workflows(): string[] {
  return [...Deno.readDirSync(new URL("../.github/workflows", import.meta.url))]
    .map(({ name }) => `.github/workflows/${name}`);
}

function valuesFiles(): string[] {
  return [...Deno.readDirSync(new URL("../examples", import.meta.url))]
    .filter(({ name }) => name.endsWith("-values.yaml")).map(({ name }) => `examples/${name}`);
}
