/** Keys of a collection in CONFIG_FILE without an environment variable. Loaded only with CONFIG_FILE. */
import { inSection, type Setting } from "../setting.ts";
import { boolean, labelSelector, oneOf } from "../setting_types.ts";

const collections = inSection("Many collections");

export interface FileOnlyValues {
  name: string;
  selector: string;
  bearer: string;
  sharedFolder: boolean;
  onRemove: "delete" | "keep";
}

export const FILE_ONLY_SETTINGS: { [N in keyof FileOnlyValues]: Setting<FileOnlyValues[N] | undefined> } = {
  name: collections.optional(
    {
      accepts: "at most 63 lower-case letters, digits and -, with a letter or digit at both ends",
      parse: (text) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined,
    },
    "Name of the collection in logs, metrics and the record of its files. Each collection has another one",
    { key: "name", form: "name", shownDefault: "required" },
  ),
  selector: collections.optional(
    labelSelector,
    "Label selector of the objects, instead of `LABEL`: `grafana_dashboard in (1,true),team=a`",
    { key: "selector" },
  ),
  bearer: collections.optional(
    {
      accepts: "a token without blanks",
      parse: (text) => /^[\x21-\x7e]+$/.test(text.trim()) ? text.trim() : undefined,
    },
    "Bearer token for `REQ_URL`, from the environment or from a file that is read at each use. Takes precedence over basic auth; an `Authorization` in `REQ_HEADERS` takes precedence over both",
    { key: "notify.webhook.bearer", form: "reference", secret: true },
  ),
  sharedFolder: collections.optional(
    boolean,
    "`true` in each of several collections: their folders may be the same, or one inside the other",
    { key: "sharedFolder", default: "false" },
  ),
  onRemove: collections.optional(
    oneOf(["delete", "keep"]),
    "What happens to the files when the collection leaves this file: `delete` or `keep`",
    { key: "onRemove", default: "delete" },
  ),
};
