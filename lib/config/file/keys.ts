/** The keys of a collection in CONFIG_FILE, made from the table of settings. */
import type { Setting } from "../setting.ts";
import { type SettingName, SETTINGS } from "../settings.ts";
import { FILE_ONLY_SETTINGS, type FileOnlyValues } from "../settings/file_only.ts";

/** What a value of the file is read into. */
export type Target = SettingName | keyof FileOnlyValues;

export interface Leaf {
  type: "leaf";
  /** `notify.webhook.url` */
  path: string;
  target: Target;
  row: Setting<unknown>;
  form: string;
  /** What the path of `{ file: path }` is read into. */
  fileTarget?: SettingName;
}

export interface Group {
  type: "group";
  /** Empty for the collection itself. */
  path: string;
  keys: Map<string, Leaf | Group>;
}

/** The key of the file that a `{ file }` is read from. */
const FILE = ".file";

export function collectionKeys(): Group {
  const root: Group = { type: "group", path: "", keys: new Map() };
  const { name, selector, ...fileOnly } = FILE_ONLY_SETTINGS;
  const rows = Object.entries({ name, selector, ...SETTINGS, ...fileOnly }) as [Target, Setting<unknown>][];
  for (const [target, row] of rows) {
    if (row.key === undefined || row.key.endsWith(FILE)) continue;
    const form = row.form ?? row.type.form ?? "text";
    addLeaf(root, { type: "leaf", path: row.key, target, row, form });
  }
  for (const [target, { key }] of rows) {
    if (!key?.endsWith(FILE)) continue;
    const leaf = keyAt(root, key.slice(0, -FILE.length));
    if (leaf?.type === "leaf") leaf.fileTarget = target as SettingName;
  }
  return root;
}

export function keyAt(root: Group, path: string): Leaf | Group | undefined {
  let key: Leaf | Group | undefined = root;
  for (const step of path.split(".")) key = key?.type === "group" ? key.keys.get(step) : undefined;
  return key;
}

export function leavesOf(group: Group): Leaf[] {
  return [...group.keys.values()].flatMap((key) => key.type === "leaf" ? key : leavesOf(key));
}

function addLeaf(root: Group, leaf: Leaf): void {
  const steps = leaf.path.split(".");
  const name = steps.pop()!;
  let group = root;
  for (const [index, step] of steps.entries()) {
    const path = steps.slice(0, index + 1).join(".");
    const next = group.keys.get(step) ?? { type: "group", path, keys: new Map() };
    if (next.type !== "group") throw new Error(`the key ${path} has a value and keys`);
    group.keys.set(step, next);
    group = next;
  }
  group.keys.set(name, leaf);
}
