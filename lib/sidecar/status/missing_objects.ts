/** Objects that are selected or named, and that do not exist. Asked once everything was listed. */
import { describeNamed, describeSelection } from "../collections/describe_selection.ts";
import type { Problem } from "../../serve/status.ts";
import type { CollectionInner } from "../collections/collection.ts";
import { settingOf } from "./words.ts";

/** Nothing is selected, or an object that is named does not exist. */
export function missingObjects(
  { collection, outcome, objects }: Pick<CollectionInner, "collection" | "objects"> & {
    outcome: Pick<CollectionInner["outcome"], "has">;
  },
): Problem[] {
  const { selection, name } = collection;
  const about = { severity: "warning", collection: name } as const;
  const namespace = settingOf(collection, "NAMESPACE");
  if (selection.names.length > 0) {
    const cure = `Check ${settingOf(collection, "RESOURCE_NAME")} and ${namespace}`;
    return selection.names.filter((item) => !outcome.has(item)).map((item) => ({
      ...about,
      what: `there is no ${describeNamed(item, selection)}`,
      cure,
    }));
  }
  if (objects > 0) return [];
  const kinds = selection.kinds.map((kind) => `${kind.toLowerCase()}s`).join(",");
  const cure = `Check ${settingOf(collection, "LABEL")}, ${settingOf(collection, "LABEL_VALUE")} and ${namespace}: ` +
    `\`kubectl get ${kinds} ${scopeOf(selection)} -l '${selection.labelSelector ?? ""}'\` must list the objects`;
  return [{ ...about, what: `nothing is selected: there are no ${describeSelection(selection)}`, cure }];
}

/** The flag of kubectl for the namespaces of a selection. */
function scopeOf({ namespaces }: CollectionInner["collection"]["selection"]): string {
  if (namespaces === "ALL") return "-A";
  const [only, ...others] = namespaces === "OWN" ? [] : namespaces;
  return `-n ${only !== undefined && others.length === 0 ? only : "NAMESPACE"}`;
}
