/** Checks the imports of a source tree against a table of allowed imports, and for circles of files. */
import { posix } from "node:path";

/** Path to source text; paths are relative to the repository. */
export type SourceFiles = ReadonlyMap<string, string>;

/** Folder (or file) to the folders that it may import from, besides itself. */
export type AllowedImports = ReadonlyMap<string, readonly string[]>;

interface Import {
  from: string;
  to: string;
}

/** The rows of the first Markdown table whose header is `| Folder | May import |`; names stand in backquotes. */
export function readImportTable(markdown: string): AllowedImports {
  const [, body = ""] = /^\| Folder +\| May import +\|\n\|[-| ]+\|\n((?:\|.*\n?)*)/m.exec(markdown) ?? [];
  const rows = body.trim().split("\n").filter((row) => row !== "").map((row) => {
    const [, folder = "", allowed = ""] = row.split("|");
    const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => `lib/${name}`);
    return [names(folder)[0] ?? "", names(allowed)] as const;
  });
  return new Map(rows.map(([folder, allowed]) => [folder === "lib/main.ts" ? "main.ts" : folder, allowed]));
}

/** Every import that the table does not allow and every circle of files, one line each. */
export function architectureFaults(files: SourceFiles, table: AllowedImports): string[] {
  const faults = [...table.keys()].flatMap((folder) =>
    [...files.keys()].some((file) => isIn(file, folder))
      ? []
      : [`the table has a row for ${folder}, which is not there`]
  );
  const imports: Import[] = [];
  for (const [from, text] of files) {
    for (const specifier of specifiersOf(text)) {
      if (specifier === undefined) {
        faults.push(`${from} has an import() that is not of a literal, so it cannot be checked`);
      } else if (specifier.startsWith(".")) imports.push({ from, to: posix.join(posix.dirname(from), specifier) });
    }
  }
  return [...faults, ...imports.flatMap((found) => arrowFaults(found, table)), ...circles(imports)];
}

function arrowFaults({ from, to }: Import, table: AllowedImports): string[] {
  const folder = rowOf(from, table);
  if (folder === undefined) return [`${from} is in no folder of the table`];
  const allowed = [folder, ...table.get(folder) ?? []];
  return allowed.some((target) => isIn(to, target)) ? [] : [`${from} imports ${to}`];
}

/** The longest name in the table that the file is in. */
function rowOf(file: string, table: AllowedImports): string | undefined {
  return [...table.keys()].filter((folder) => isIn(file, folder)).sort((a, b) => b.length - a.length)[0];
}

function isIn(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

/** What a module imports: values, types, re-exports and `import()`; `undefined` for an `import()` of an expression. */
function specifiersOf(text: string): (string | undefined)[] {
  const code = text.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
  const declared = code.matchAll(/^(?:import|export)\b(?:[\w\s{},*]*\bfrom)?\s*"([^"]+)"/gm);
  const called = code.matchAll(/\bimport\(\s*(?:"([^"]+)")?/g);
  return [...declared, ...called].map(([, specifier]) => specifier);
}

/** One line for each circle that a depth-first walk closes. */
function circles(imports: readonly Import[]): string[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push(`circle: ${[...path.slice(start), file].join(" > ")}`);
    if (start >= 0 || done.has(file)) return;
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}
