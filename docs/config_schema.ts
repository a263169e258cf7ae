/** Makes schema/config.schema.json and the table of keys in collections.md from the table of settings. */
import { FORMS, type Schema } from "../lib/config/file/forms.ts";
import { collectionKeys, type Group, keyAt, type Leaf, leavesOf } from "../lib/config/file/keys.ts";
import { MAX_COLLECTIONS } from "../lib/config/file/read_collections.ts";
import { REFERENCE_SCHEMA } from "../lib/config/file/references.ts";
import type { Setting } from "../lib/config/setting.ts";
import { type SettingName, SETTINGS } from "../lib/config/settings.ts";

const REFERENCE = { $ref: "#/definitions/reference" };
const SELECTIONS = ["label", "selector", "names"];

/** Keys that do not go together. */
const CONFLICTS = [
  ["label", "selector"],
  ["label", "names"],
  ["selector", "names"],
  ["labelValue", "selector"],
  ["labelValue", "names"],
].map((keys): Schema => ({ not: { required: keys } })).concat({
  if: { required: ["namespaces", "namespaceSelector"] },
  then: { properties: { namespaces: { const: "ALL" } } },
});

/** What the maps are for. */
const GROUPS: Record<string, string> = {
  urls: "Keys that end in `.url`, whose content is downloaded",
  notify: "How the application is told of changed files",
  "notify.webhook": "URL to call after files changed",
  "notify.webhook.basicAuth": "User name and password for the webhook",
  "notify.webhook.retry": "Retries of one call, and of one download of a `*.url` key",
  "notify.webhook.tls": "TLS of the webhook and of `*.url` hosts",
  "notify.script": "Script to run after files changed and before the webhook is called",
};

/** JSON schema, draft 7, for editors. */
export function configSchema(): Schema {
  const keys = collectionKeys();
  const properties = propertiesOf(keys);
  const { name: _, ...inDefaults } = properties;
  const references = Object.keys(inDefaults).map((
    key,
  ) => [key, { $ref: `#/definitions/collection/properties/${key}` }]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "CONFIG_FILE of deno-k8s-sidecar",
    type: "object",
    additionalProperties: false,
    required: ["version", "collections"],
    properties: {
      version: { const: 1, description: "Version of this format" },
      defaults: {
        description: "Values for all collections. A collection's own value takes precedence, and maps are merged",
        type: "object",
        additionalProperties: false,
        properties: Object.fromEntries(references),
        allOf: CONFLICTS,
      },
      collections: {
        description: "Each has one selection, one folder and one notification",
        type: "array",
        minItems: 1,
        maxItems: MAX_COLLECTIONS,
        items: { $ref: "#/definitions/collection" },
      },
    },
    allOf: [
      required({ required: ["folder"] }),
      required({ anyOf: SELECTIONS.map((key) => ({ required: [key] })) }),
    ],
    definitions: {
      collection: {
        type: "object",
        additionalProperties: false,
        required: ["name"],
        properties,
        allOf: CONFLICTS,
      },
      reference: REFERENCE_SCHEMA,
    },
  };
}

/** What a collection must have unless `defaults` has it. */
function required(condition: Schema): Schema {
  return {
    if: { required: ["defaults"], properties: { defaults: condition } },
    else: { properties: { collections: { items: condition } } },
  };
}

function propertiesOf(group: Group): Record<string, Schema> {
  const entries = [...group.keys].map(([name, key]): [string, Schema] => {
    if (key.type === "leaf") return [name, leafSchema(key)];
    const properties = propertiesOf(key);
    const description = plain(GROUPS[key.path] ?? "");
    return [name, { description, type: "object", additionalProperties: false, properties }];
  });
  return Object.fromEntries(entries);
}

function leafSchema(leaf: Leaf): Schema {
  const description = plain(meaningOf(leaf.row));
  const value = defaultOf(leaf);
  return { description, ...(value === undefined ? {} : { default: value }), ...valueSchema(leaf) };
}

function valueSchema({ form, row }: Leaf): Schema {
  if (form === "reference") return REFERENCE;
  if (form === "textOrReference") return { anyOf: [FORMS.text!.schema(row), REFERENCE] };
  if (form !== "headers") return FORMS[form]!.schema(row);
  return { type: "object", additionalProperties: { anyOf: [{ type: "string" }, REFERENCE] } };
}

/** The default as the file writes it. */
function defaultOf({ form, row }: Leaf): unknown {
  if (row.default === undefined) return undefined;
  if (form === "negated") return row.default !== "true";
  if (form === "boolean") return row.default === "true";
  if (form === "duration") return `${row.default}s`;
  if (form === "mode") return row.default.padStart(4, "0");
  return form === "count" || form === "number" ? Number(row.default) : row.default;
}

/** Where the file differs from the environment. */
const MEANINGS: Record<string, string> = {
  label: "Label key of the objects; a whole label selector goes into selector",
  labelValue: "Value that the label must have",
  namespaces: "ALL, OWN (the namespace of the pod) or a list of namespaces",
  "notify.onFirstSync": "Call the webhook for the files of the first sync, too",
  "notify.webhook.payload": "Body of a POST, sent as JSON; text that is JSON is sent as it is",
  "notify.webhook.headers": "More headers: text, or the name of a variable or a file with the value",
};

/** The meaning of a setting, in words of the file. */
function meaningOf(row: Setting<unknown>): string {
  return MEANINGS[row.key!] ?? row.meaning
    .replace(/^Seconds/, "Time")
    .replaceAll(", in seconds", "")
    .replaceAll("`FOLDER/", "`folder/")
    .replaceAll(", separated by commas, that", " that")
    .replaceAll(/, separated by commas(: )?/g, (_, colon) => colon ?? "")
    .replaceAll("`NAMESPACE=ALL`", "`namespaces: ALL`")
    .replaceAll("`REQ_RETRY_*`", "`notify.webhook.retry`")
    .replaceAll(/`([A-Z0-9_]+)`/g, (text, name) => {
      const setting: Setting<unknown> | undefined = SETTINGS[name as SettingName];
      return setting?.key === undefined ? text : `\`${setting.key.replace(/\.file$/, "")}\``;
    });
}

function plain(text: string): string {
  return text.replaceAll("`", "");
}

/** The words for a form, in the table of keys. */
const FORM_WORDS: Record<string, string> = {
  text: "text",
  boolean: "`true` or `false`",
  negated: "`true` or `false`",
  duration: "duration",
  size: "size",
  sizeLimit: "size, or 0",
  count: "whole number",
  number: "number",
  mode: "octal digits in quotes",
  url: "URL",
  path: "absolute path",
  pathOrNone: "absolute path or `none`",
  name: "name",
  labelKey: "label key",
  labelValue: "label value",
  namespaces: "`ALL`, `OWN` or a list",
  list: "list",
  json: "any value",
  headers: "map of text, `{ env }` or `{ file }`",
  reference: "`{ env }` or `{ file }`",
  textOrReference: "text, `{ env }` or `{ file }`",
};

/** A row for each key. */
export function keysTable(): string {
  const rows = leavesOf(collectionKeys()).map((leaf) => {
    const { path, form, row, target } = leaf;
    const words = form === "word" ? row.type.words!.map((word) => `\`${word}\``).join(", ") : FORM_WORDS[form]!;
    const value = defaultOf(leaf);
    const byDefault = path === "label"
      ? "`label`, `selector` or `names` is required"
      : value === undefined
      ? (row.shownDefault ?? "none").replace("hash of the selection", "id")
      : `\`${value}\``;
    const setting = target in SETTINGS ? `\`${target}\`` : path.endsWith("bearer") ? "`REQ_TOKEN_FILE`" : "";
    return `| \`${path}\` | ${words} | ${byDefault} | ${setting} |`;
  });
  return `| Key | Value | Default | Setting |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** The key of a setting, for the tables of settings. */
export function keyOf(row: Setting<unknown>): string {
  return row.key !== undefined && keyAt(collectionKeys(), row.key.replace(/\.file$/, "")) ? `\`${row.key}\`` : "";
}
