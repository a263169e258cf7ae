/** What the Dockerfile says of its targets. */

const text = await Deno.readTextFile(new URL("../../Dockerfile", import.meta.url));

export interface Target {
  /** The image that the first of its stages begins with. */
  base: string;
  entrypoint: string[];
  /** `UID:GID` */
  user: string;
  workdir: string;
  env: Record<string, string>;
  /** `COPY --from=STAGE SOURCE DESTINATION`, in order. */
  copies: { stage: string; source: string; destination: string }[];
}

/** Reads a target, with what it inherits from the stages below it. */
export function dockerTarget(name: string): Target {
  const lines = stages().get(name);
  if (lines === undefined) throw new Error(`the Dockerfile has no target ${name}`);
  const [, from = ""] = /^FROM (?:--\S+ )?(\S+)/.exec(lines[0] ?? "") ?? [];
  const target: Target = stages().has(from)
    ? dockerTarget(from)
    : { base: from, entrypoint: [], user: "", workdir: "", env: {}, copies: [] };
  for (const line of lines) {
    const [, instruction, rest = ""] = /^(\w+) (.*)$/.exec(line) ?? [];
    if (instruction === "ENTRYPOINT") target.entrypoint = JSON.parse(rest);
    if (instruction === "USER") target.user = rest;
    if (instruction === "WORKDIR") target.workdir = rest;
    if (instruction === "ENV") {
      const [key = "", value = ""] = rest.split("=");
      target.env[key] = value;
    }
    if (instruction === "COPY") {
      const [, stage = "", source = "", destination = ""] = /^--from=(\S+) (\S+) (\S+)$/.exec(rest) ?? [];
      target.copies.push({ stage, source, destination });
    }
  }
  return target;
}

/** The names of all stages, in order. */
export function stageNames(): string[] {
  return [...stages().keys()];
}

/** The lines of each stage, continued ones joined. */
function stages(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.replaceAll(/\\\n\s*/g, "").split("\n")) {
    const [, name] = /^FROM .* AS (\S+)$/.exec(line) ?? [];
    if (name !== undefined) found.set(name, lines = []);
    if (line !== "" && !line.startsWith("#")) lines.push(line);
  }
  return found;
}
