/** Checks of a collection of CONFIG_FILE that concern several keys. */
import { ENVIRONMENT_COLLECTION } from "../collection_settings.ts";
import type { FileFaults } from "./faults.ts";
import { isText, type LocatedMap, valueAt } from "./located.ts";
import type { Item } from "./read_collections.ts";

const SELECTIONS = ["label", "selector", "names"];

export interface CheckOptions {
  faults: FileFaults;
  /** The environment makes a collection, too. */
  hasEnvironment: boolean;
  /** DEFAULTS=kiwigrid */
  isKiwigrid: boolean;
  /** FINALIZERS=true */
  hasFinalizers: boolean;
}

export function checkItem(item: Item, options: CheckOptions): void {
  const { faults } = options;
  checkName(item, options);
  if (!isThere(item, "folder")) {
    faults.add(item.own.at, `${item.place}.folder`, "is required: the folder that files are written to");
  }
  checkSelection(item, options);
  checkWebhook(item, faults);
  if (isOwn(item, "notify", "script") && !isThere(item, "notify", "script", "path")) {
    faults.add(valueAt(item.own, "notify", "script")!.at, `${item.place}.notify.script.path`, "is required");
  }
  const delay = valueAt(item.map, "removeDelay");
  if (options.hasFinalizers && Number(item.draft.get("REMOVE_DELAY") ?? 0) > 0) {
    faults.warn(
      delay!.at,
      `${item.place}.removeDelay`,
      "has no effect with FINALIZERS: an object exists until its files are removed",
    );
  }
}

function checkName({ place, own }: Item, { faults, hasEnvironment }: CheckOptions): void {
  const name = valueAt(own, "name");
  if (name === undefined) {
    faults.add(own.at, `${place}.name`, "is required: the name in logs, metrics and the record of the files");
  } else if (hasEnvironment && isText(name, ENVIRONMENT_COLLECTION)) {
    const reason = "is the collection that LABEL and FOLDER make: expected another name";
    faults.add(name.at, `${place}.name`, `"${ENVIRONMENT_COLLECTION}" ${reason}`);
  }
}

/** The names must differ. */
export function checkNames(items: readonly Item[], faults: FileFaults): void {
  const first = new Map<string, number>();
  for (const { place, own } of items) {
    const name = valueAt(own, "name");
    if (name?.type !== "scalar" || typeof name.value !== "string") continue;
    const at = first.get(name.value);
    if (at === undefined) first.set(name.value, name.at);
    else faults.add(name.at, `${place}.name`, `"${name.value}" is also the name in line ${faults.lineOf(at)}`);
  }
}

function checkSelection({ map, place, own }: Item, options: CheckOptions): void {
  if (!SELECTIONS.some((key) => map.entries.has(key))) {
    options.faults.add(own.at, place, "selects nothing: label, selector or names is required");
  }
  checkConflicts(own, place, options, map);
  const value = own.entries.get("labelValue");
  const other = SELECTIONS.slice(1).find((key) => !own.entries.has(key) && map.entries.has(key));
  if (value !== undefined && other !== undefined) {
    options.faults.add(value.at, `${place}.labelValue`, `does not go with the ${other} of defaults: label is missing`);
  }
}

/**
 * Keys that do not go together, in a collection or in `defaults`.
 *
 * @param merged a collection with the values of `defaults`
 */
export function checkConflicts(
  map: LocatedMap,
  place: string,
  { faults, isKiwigrid }: Pick<CheckOptions, "faults" | "isKiwigrid">,
  merged = map,
): void {
  const [first, ...others] = SELECTIONS.filter((key) => map.entries.has(key));
  for (const key of others) {
    faults.add(map.entries.get(key)!.at, `${place}.${key}`, `does not go with ${first}: expected one of the two`);
  }
  const value = map.entries.get("labelValue");
  if (value !== undefined && first !== undefined && first !== "label") {
    faults.add(value.at, `${place}.labelValue`, `does not go with ${first}: it is the value of label`);
  }
  const selector = map.entries.get("namespaceSelector");
  const namespaces = valueAt(merged, "namespaces");
  const areAll = namespaces === undefined ? !isKiwigrid : isText(namespaces, "ALL");
  if (selector !== undefined && !areAll) {
    faults.add(selector.at, `${place}.namespaceSelector`, "expected namespaces: ALL beside it");
  }
}

function checkWebhook(item: Item, faults: FileFaults): void {
  const { own, map, place, draft } = item;
  const webhook = `${place}.notify.webhook`;
  const hasUrl = isThere(item, "notify", "webhook", "url");
  if (isOwn(item, "notify", "webhook") && !hasUrl) {
    faults.add(valueAt(own, "notify", "webhook")!.at, `${webhook}.url`, "is required: the URL to call");
  }
  const basicAuth = valueAt(map, "notify", "webhook", "basicAuth");
  for (const key of ["username", "password"]) {
    if (!hasUrl || basicAuth?.type !== "map" || basicAuth.entries.has(key)) continue;
    faults.add(basicAuth.at, `${webhook}.basicAuth.${key}`, "is required");
  }
  const payload = valueAt(map, "notify", "webhook", "payload");
  if (hasUrl && payload !== undefined && draft.get("REQ_METHOD") !== "POST") {
    faults.warn(payload.at, `${webhook}.payload`, "is not sent: a GET has no body. Set method: POST");
  }
}

function isThere({ map }: Item, ...path: string[]): boolean {
  return valueAt(map, ...path) !== undefined;
}

function isOwn({ own }: Item, ...path: string[]): boolean {
  return valueAt(own, ...path) !== undefined;
}
