/** The text of `print-config`: tables of three columns. */
import type { ShownCollection } from "../config/file/shown_collections.ts";
import type { ShownOrigin, ShownSection, ShownSetting } from "../config/shown_settings.ts";
import { type Colours, MAX_COLUMNS } from "./report.ts";

export interface ShownConfig {
  sections: readonly ShownSection[];
  configFile?: string;
  collections: readonly ShownCollection[];
}

interface Block {
  title: string;
  settings: readonly ShownSetting[];
}

export function configTable({ sections, configFile, collections }: ShownConfig, colours: Colours): string {
  const blocks: Block[] = sections.map(({ section, settings }) => ({ title: section, settings }));
  // A key that no collection sets has the same default in all of them
  const isSet = new Set(collections.flatMap(({ settings }) => settings.filter(isOfFile).map(({ name }) => name)));
  for (const { name, line, column, settings } of collections) {
    blocks.push({
      title: `Collection ${name}, ${configFile}:${line}:${column}`,
      settings: settings.filter(({ name }) => isSet.has(name)),
    });
  }
  const [first] = collections;
  if (first !== undefined) {
    const rest = first.settings.filter(({ name }) => !isSet.has(name));
    blocks.push({ title: "Keys that no collection sets", settings: rest });
  }
  const rows = blocks.flatMap(({ settings }) => settings);
  const name = Math.max(0, ...rows.map(({ name }) => name.length));
  const origin = Math.max(0, ...rows.map(({ origin }) => describeOrigin(origin).length));
  const value = MAX_COLUMNS - name - origin - "  ".length * 3;
  return blocks.map(({ title, settings }) =>
    [colours.bold(title), ...settings.flatMap((setting) => lines(setting, { name, value }, colours))].join("\n")
  ).join("\n\n");
}

function isOfFile({ origin }: ShownSetting): boolean {
  return origin.from === "CONFIG_FILE";
}

function lines(
  { name, text, origin, isInvalid }: ShownSetting,
  width: { name: number; value: number },
  colours: Colours,
) {
  const isDefault = origin.from === "default";
  const paint = isInvalid ? colours.red : isDefault ? colours.dim : (text: string) => text;
  const shown = isInvalid ? `${text} (not valid)` : text;
  const [first = "", ...more] = pieces(shown.replace(/\s+/g, " "), width.value);
  const source = isDefault ? colours.dim(describeOrigin(origin)) : describeOrigin(origin);
  const row = `  ${name.padEnd(width.name)}  ${paint(first)}${" ".repeat(width.value - first.length)}  ${source}`;
  return [row, ...more.map((piece) => `  ${" ".repeat(width.name)}  ${paint(piece)}`)];
}

/** Breaks a value behind a blank or a comma, or anywhere if there is none. */
function pieces(text: string, width: number): string[] {
  const found: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const end = Math.max(rest.lastIndexOf(" ", width - 1), rest.lastIndexOf(",", width - 1)) + 1;
    const at = end > 0 ? end : width;
    found.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return [...found, rest];
}

function describeOrigin(origin: ShownOrigin): string {
  switch (origin.from) {
    case "default":
      return "default";
    case "kiwigrid":
      return "kiwigrid's default";
    case "flag":
      return `flag ${origin.flag}`;
    case "environment":
      return origin.variable === "HEALTHCHECK_PORT" ? `environment, ${origin.variable}` : "environment";
    case "CONFIG_FILE":
      return `CONFIG_FILE ${origin.line}:${origin.column}${origin.inherited ? ", defaults" : ""}`;
  }
}
