/** Every key of the collections of CONFIG_FILE with its value and its place, without secrets. */
import type { Setting } from "../setting.ts";
import { HIDDEN, type ShownSetting, textOf } from "../shown_settings.ts";
import type { FileFaults } from "./faults.ts";
import { collectionKeys, type Leaf, leavesOf } from "./keys.ts";
import { type Located, plainValue, valueAt } from "./located.ts";
import { type Item, readCollections } from "./read_collections.ts";
import { readYaml } from "./read_yaml.ts";

export interface ShownCollection {
  name: string;
  line: number;
  column: number;
  settings: ShownSetting[];
}

export interface ShownOptions {
  path: string;
  env: Record<string, string | undefined>;
  isKiwigrid: boolean;
}

/** What can be read of a text; `config_file.ts` reports its faults. Never throws. */
export function shownCollections(text: string, { path, env, isKiwigrid }: ShownOptions): ShownCollection[] {
  const { root, faults } = readYaml(text, path);
  if (root === undefined) return [];
  const items = readCollections(root, faults, { variable: (name) => env[name], isFile: () => true });
  const leaves = leavesOf(collectionKeys());
  return items.map((item) => ({
    name: item.draft.get("name") as string ?? item.place,
    ...faults.placeOf(item.own.at),
    settings: leaves.map((leaf) => shownKey(leaf, item, faults, isKiwigrid)),
  }));
}

function shownKey(leaf: Leaf, { own, map, draft }: Item, faults: FileFaults, isKiwigrid: boolean): ShownSetting {
  const { path: name, target, fileTarget, row } = leaf;
  const steps = name.split(".");
  const value = valueAt(map, ...steps);
  if (value !== undefined) {
    const shown = visible(value, leaf);
    const isValid = draft.has(target) || (fileTarget !== undefined && draft.has(fileTarget));
    const origin = {
      from: "CONFIG_FILE",
      ...faults.placeOf(value.at),
      inherited: valueAt(own, ...steps) === undefined,
    } as const;
    return { name, value: shown, text: textOf(shown), origin, ...(isValid ? {} : { isInvalid: true }) };
  }
  const byDefault = isKiwigrid ? row.kiwigrid ?? row.default : row.default;
  const origin = { from: isKiwigrid && row.kiwigrid !== undefined ? "kiwigrid" : "default" } as const;
  if (byDefault === undefined) return { name, value: null, text: defaultText(row), origin };
  const shown = writtenValue(leaf, byDefault);
  return { name, value: shown, text: textOf(shown), origin };
}

/** References are shown; a text where a secret belongs is not. */
function visible(value: Located, { form, row }: Leaf): unknown {
  if (form === "headers" && value.type === "map") {
    return Object.fromEntries([...value.entries].map(([name, { value }]) => [name, reference(value) ?? HIDDEN]));
  }
  const found = form === "reference" || form === "textOrReference" ? reference(value) : undefined;
  if (found !== undefined) return found;
  if (row.secret || form === "reference") return HIDDEN;
  const plain = plainValue(value);
  return typeof plain === "string" ? row.redact?.(plain) ?? plain : plain;
}

function reference(value: Located): unknown {
  const plain = value.type === "map" ? plainValue(value) as Record<string, unknown> : {};
  const [[name, text] = ["", ""], ...others] = Object.entries(plain);
  return others.length === 0 && (name === "env" || name === "file") && typeof text === "string" ? plain : undefined;
}

/** A default of the table as the file writes it. */
function writtenValue({ form }: Leaf, text: string): unknown {
  if (form === "negated") return text !== "true";
  if (form === "boolean") return text === "true";
  if (form === "duration") return `${text}s`;
  if (form === "mode") return text.padStart(4, "0");
  if (form === "namespaces" && text === "") return "OWN";
  return form === "count" || form === "number" ? Number(text) : text;
}

function defaultText({ shownDefault = "none" }: Setting<unknown>): string {
  if (shownDefault === "required") return "none";
  // The table says it for the collection of the environment
  return shownDefault.replaceAll("`", "").replace("FOLDER", "folder").replace(
    "hash of the selection",
    "hash of the name",
  );
}
