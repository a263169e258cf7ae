/** The environment of a container, as far as its manifest says it. */
import type { Setting } from "../../config/setting.ts";
import { SETTINGS } from "../../config/settings.ts";
import type { Container } from "./pod.ts";
import { entriesOf, isMap, type Path } from "./manifest_stream.ts";

export interface ContainerEnv {
  known: ReadonlyMap<string, string>;
  /** Set by `valueFrom`, or with the value of such a variable in it. */
  unknown: ReadonlySet<string>;
  /** `envFrom` may set any other variable. */
  hasMore: boolean;
  /** Values that are not text, by their paths. */
  faults: { path: Path; reason: string }[];
  /** Where a variable is set. */
  pathOf(name: string): Path | undefined;
}

export function containerEnv({ spec, path }: Container): ContainerEnv {
  const known = new Map<string, string>();
  const unknown = new Set<string>();
  const paths = new Map<string, Path>();
  const faults: ContainerEnv["faults"] = [];
  for (const [index, { name, value, valueFrom }] of entriesOf(spec.env)) {
    if (typeof name !== "string") continue;
    const at = [...path, "env", index];
    // The last one of a name wins
    known.delete(name);
    unknown.delete(name);
    paths.set(name, at);
    if (isMap(valueFrom)) unknown.add(name);
    else if (typeof value === "string") {
      const expanded = expand(value, known, unknown);
      if (expanded === undefined) unknown.add(name);
      else known.set(name, expanded);
    } else if (value !== undefined && value !== null) {
      faults.push({ path: at, reason: `${name}: the value must be text; put it in quotes` });
      known.set(name, String(value));
    }
  }
  const hasMore = Array.isArray(spec.envFrom) && spec.envFrom.length > 0;
  return { known, unknown, hasMore, faults, pathOf: (name) => paths.get(name) };
}

/** Replaces `$(NAME)` as the kubelet does; `undefined` if the value of such a name is unknown. */
function expand(text: string, known: ReadonlyMap<string, string>, unknown: ReadonlySet<string>): string | undefined {
  let isKnown = true;
  const expanded = text.replace(/\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g, (all, name?: string) => {
    if (name === undefined) return "$";
    if (unknown.has(name)) isKnown = false;
    return known.get(name) ?? all;
  });
  return isKnown ? expanded : undefined;
}

/** Accepted by one setting or another. */
const STAND_INS = ["unknown", "/unknown", "http://unknown/", "1", "true", "{}", "644"];

/** What a sidecar would start with: variables without a known value have one that is accepted. */
export function assumedEnv({ known, unknown }: ContainerEnv): Record<string, string> {
  const env: Record<string, string> = Object.fromEntries(known);
  for (const name of unknown) {
    const row: Setting<unknown> | undefined = Object.hasOwn(SETTINGS, name)
      ? SETTINGS[name as keyof typeof SETTINGS]
      : undefined;
    const candidates = [row?.default || "unknown", ...STAND_INS];
    env[name] = candidates.find((text) => row === undefined || row.type.parse(text) !== undefined) ?? "";
  }
  return env;
}
