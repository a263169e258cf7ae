/** The settings of the sections "Selection" and "Many collections". */
import { itemsOf, labelSelector, listOf, oneOf, text } from "../setting_types.ts";
import { inSection } from "../setting.ts";

const selection = inSection("Selection");
const collections = inSection("Many collections");

const namespaces = listOf("namespaces", /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const namedObject = /^(([a-z0-9][-a-z0-9]*\/)?(configmaps?|secrets?)\/)?[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/i;

export const SELECTION_SETTINGS = {
  LABEL: selection.optional(
    text,
    "Label key to select objects by. A full label selector is accepted too: `app in (a,b),!draft`; with `LABEL_VALUE`, one that ends in a key: `app in (a,b),tier`. Not used with `RESOURCE_NAME`",
    { key: "label", form: "labelKey", shownDefault: "required" },
  ),
  LABEL_VALUE: selection.optional(
    text,
    "Value that the label must have; where `LABEL` is a selector, its last label",
    { key: "labelValue", form: "labelValue", shownDefault: "any value" },
  ),
  NAMESPACE: selection.optional(
    {
      ...namespaces,
      accepts: `ALL, or ${namespaces.accepts}`,
      parse: (text) => itemsOf(text).includes("ALL") ? "ALL" : namespaces.parse(text),
      remark(text) {
        const items = new Set(itemsOf(text));
        return items.has("ALL") && items.size > 1 ? "ALL includes the other namespaces" : undefined;
      },
    },
    "`ALL`, or namespaces separated by commas",
    {
      key: "namespaces",
      form: "namespaces",
      default: "ALL",
      kiwigrid: "",
      shownDefault: "`ALL`; with `DEFAULTS=kiwigrid` the pod's own",
    },
  ),
  RESOURCE: selection.withDefault(
    oneOf(["configmap", "secret", "both"]),
    "both",
    "Kinds to watch: `configmap`, `secret` or `both`",
    { key: "resource", kiwigrid: "configmap" },
  ),
  RESOURCE_NAME: selection.optional(
    listOf("names as name, kind/name or namespace/kind/name (kind: configmap or secret)", namedObject),
    "Watch these objects by name instead of by label: `name`, `kind/name` or `namespace/kind/name`, separated by commas. RBAC `resourceNames` is enough",
    { key: "names" },
  ),
  DEFAULTS: selection.withDefault(
    oneOf(["kopf", "kiwigrid"]),
    "kopf",
    "`kiwigrid` uses that image's defaults where they differ: `NAMESPACE` = the pod's own, `RESOURCE=configmap`, `WATCH_SERVER_TIMEOUT=60`, `WATCH_CLIENT_TIMEOUT=66`, `LOG_FORMAT=JSON`, `COLLISIONS=newest`, `ALLOWED_FOLDERS` = the volume of `FOLDER`. A value that only that image accepts is a warning",
  ),
  NAMESPACE_SELECTOR: selection.optional(
    labelSelector,
    "Label selector for namespaces, with `NAMESPACE=ALL`: namespaces are followed as they come, go and change their labels. Needs a ClusterRole with list and watch on namespaces",
    { key: "namespaceSelector" },
  ),
  NAMESPACE_EXCLUDE: selection.optional(
    listOf("names of namespaces, in which * stands for any characters", /^[-a-z0-9*]+$/),
    "Namespaces to leave out, separated by commas; `*` stands for any characters: `kube-*`",
    { key: "namespaceExclude" },
  ),
  CONFIG_FILE: collections.optional(
    text,
    "YAML or JSON file with any number of collections, each with a selection, a folder and a notification of its own; see docs/collections.md. `LABEL` and `FOLDER` are optional beside it, and make one more collection, `default`",
  ),
};
