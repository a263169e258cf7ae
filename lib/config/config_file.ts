/** CONFIG_FILE: a YAML or JSON file with any number of collections. Loaded only when the setting is used. */
import { type Collection, collectionOf } from "./collection_settings.ts";
import { checkConflicts, checkItem, checkNames } from "./file/checks.ts";
import type { FileFault } from "./file/faults.ts";
import { valueAt } from "./file/located.ts";
import { RealFolders } from "./file/overlaps.ts";
import { type Item, readCollections } from "./file/read_collections.ts";
import { readYaml } from "./file/read_yaml.ts";
import { type Fault, faultOf, isServiceLink, readSettings } from "./read_settings.ts";
import type { Setting } from "./setting.ts";
import { type SettingName, SETTINGS, type SettingValues } from "./settings.ts";
import { given } from "../runtime/given.ts";
import { messageOf } from "../runtime/message_of.ts";

export type { FileFault };

export interface ConfigFileOptions {
  /** Of the file, for messages. */
  path: string;
  /** For `{ env: NAME }`, and for what the environment says about all collections: DEFAULTS. */
  env: Record<string, string | undefined>;
  /** The collection that the environment makes. */
  environment?: Collection | undefined;
  /** Whether a file exists that `{ file: path }` names. */
  isFile?: (path: string) => boolean;
}

export interface ConfigFile {
  /** Those of the file; empty if there are faults. */
  collections: Collection[];
  /** In the order of the text. */
  faults: FileFault[];
  warnings: string[];
}

/** Reads the text of the file and reports all its faults at once. Never throws. */
export function parseConfigFile(text: string, options: ConfigFileOptions): ConfigFile {
  const { env, environment, isFile = isReadable } = options;
  const { root, faults } = readYaml(text, options.path);
  if (root === undefined) return { collections: [], faults: faults.faults, warnings: [] };
  const named = new Set<string>();
  const variable = (name: string) => {
    named.add(name);
    return Object.hasOwn(env, name) ? env[name] : undefined;
  };
  const items = readCollections(root, faults, { variable, isFile });
  const { FINALIZERS, DEFAULTS } = readSettings(env).values;
  const isKiwigrid = DEFAULTS === "kiwigrid";
  const inDefaults = valueAt(root, "defaults");
  if (inDefaults?.type === "map") checkConflicts(inDefaults, "defaults", { faults, isKiwigrid });
  for (const item of items) {
    checkItem(item, { faults, hasEnvironment: environment !== undefined, isKiwigrid, hasFinalizers: FINALIZERS });
  }
  checkNames(items, faults);
  const defaults = readSettings({ DEFAULTS }).values;
  const folders = new RealFolders();
  const collections: Collection[] = [];
  for (const item of items) {
    const collection = collectionFrom(item, defaults, env);
    for (const other of environment === undefined ? collections : [environment, ...collections]) {
      const overlap = item.draft.has("FOLDER") && other.files.folder !== ""
        ? folders.overlapOf(collection, other, { isEnvironment: other === environment })
        : undefined;
      if (overlap !== undefined) faults.add(placeOf(item, overlap.key), `${item.place}.${overlap.key}`, overlap.reason);
    }
    collections.push(collection);
  }
  const idle = environment === undefined ? settingsWithoutCollection(env, named) : [];
  return {
    collections: faults.faults.length === 0 ? folders.unify(collections) : [],
    faults: faults.faults,
    warnings: [...faults.warnings, ...idle],
  };
}

/** Reads the file. Never throws. */
export async function readConfigFile(
  options: ConfigFileOptions,
): Promise<{ collections: Collection[]; faults: Fault[]; warnings: string[]; text?: string }> {
  let text: string;
  try {
    text = await Deno.readTextFile(options.path);
  } catch (error) {
    const fault = faultOf("CONFIG_FILE", options.path, `it cannot be read: ${messageOf(error)}`);
    return { collections: [], faults: [fault], warnings: [] };
  }
  return { ...parseConfigFile(text, options), text };
}

function collectionFrom({ draft, place }: Item, defaults: SettingValues, env: ConfigFileOptions["env"]): Collection {
  const values: Record<string, unknown> = { ...defaults };
  for (const [target, value] of draft) {
    if (target in SETTINGS) values[target as SettingName] = value;
  }
  if (draft.has("selector")) values.LABEL = draft.get("selector");
  // OWN is the absence of other namespaces
  if (values.NAMESPACE === "OWN") values.NAMESPACE = undefined;
  return collectionOf(values as SettingValues, env, {}, {
    name: draft.get("name") as string ?? place,
    onRemove: draft.get("onRemove") as Collection["onRemove"] ?? "delete",
    sharedFolder: draft.get("sharedFolder") as boolean ?? false,
    ...given("token", draft.get("bearer") as string | undefined),
    headerFiles: draft.get("headerFiles") as Record<string, string> ?? {},
  });
}

/** A warning for each setting of a collection in an environment that makes none. */
function settingsWithoutCollection(env: ConfigFileOptions["env"], named: ReadonlySet<string>): string[] {
  const rows = Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];
  const idle = rows.filter(([name, { key }]) => key !== undefined && isGiven(env[name]) && !named.has(name));
  return idle.map(([name, { key }]) =>
    `${name} has no effect without LABEL and FOLDER: in CONFIG_FILE it is ${key} of a collection or of defaults`
  );
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined && text !== "" && !isServiceLink(text);
}

function placeOf({ map, own }: Item, key: string): number {
  return valueAt(map, key)?.at ?? own.at;
}

function isReadable(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
