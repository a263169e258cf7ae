/** Documents in Markdown: their links, headings and blocks of commands. */

export interface Block {
  language: string;
  /** Of the opening fence, from 1. */
  line: number;
  lines: readonly string[];
  /** From the comment before the block, such as `<!-- needs a cluster -->`. */
  needs?: string;
}

/** The commands of a `console` block, each with the output that the block shows. */
export interface Shown {
  command: string;
  output: readonly string[];
}

const FENCE = /^( *)```(\w*)$/;
const NEEDS = /^ *<!-- needs (.+) -->$/;

export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [opened, indent = "", language = ""] = FENCE.exec(lines[at]!) ?? [];
    if (opened === undefined) continue;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: the block is not closed`);
    const before = lines.slice(0, at).findLast((line) => line.trim() !== "") ?? "";
    const needs = NEEDS.exec(before)?.[1];
    const inside = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    blocks.push({ language, line: at + 1, lines: inside, ...(needs === undefined ? {} : { needs }) });
    at = end;
  }
  return blocks;
}

export function shownIn({ lines }: Block): Shown[] {
  const shown: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) shown.push({ command: line.slice(2), output: [] });
    else if (shown.length === 0) throw new Error(`output without a command: ${line}`);
    else shown.at(-1)!.output.push(line);
  }
  return shown;
}

/** Whether this is the output that a document shows, in which a line `…` stands for any number of lines. */
export function matches(shown: readonly string[], output: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return output.length === 0;
  if (first === "…") return output.some((_, at) => matches(rest, output.slice(at))) || rest.length === 0;
  return first === output[0] && matches(rest, output.slice(1));
}

/** Targets of links and images, without those to other sites. */
export function linksOf(markdown: string): string[] {
  return [...prose(markdown).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that GitHub gives to headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose(markdown).matchAll(/^#+ (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number++) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Without blocks of code. */
function prose(markdown: string): string {
  return markdown.replace(/^( *)```[^]*?^\1```$/gm, "");
}
