/** Why a selection does not include an object. */
import type { NamedObject, Selection } from "../config/collection_settings.ts";
import type { Kind } from "../objects/kind.ts";
import { pluralOf } from "../objects/kind.ts";
import { namePattern } from "../objects/name_pattern.ts";
import { labelHint } from "./label_hint.ts";
import type { ObjectRef } from "../objects/ref.ts";
import { matchesSelector, parseSelector, type Requirement } from "../objects/selector_grammar.ts";

export interface Reason {
  code: "kind" | "namespace" | "namespaceExcluded" | "namespaceSelector" | "missing" | "name" | "label";
  /** `label app is "api", wanted: "web"`. */
  what: string;
  cure: string;
}

/** What the API server says about an object. */
export interface Sighting {
  exists: boolean;
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
  /** Labels of its namespace; `undefined`: unknown. */
  namespaceLabels?: Readonly<Record<string, string>> | undefined;
}

/** Reasons that the configuration alone gives, whatever the object is like. The pod's own namespace stands for OWN. */
export function reasonsBySettings(selection: Selection, ownNamespace: string, ref: ObjectRef): Reason[] {
  const { names, kinds } = selection;
  if (names.length > 0) {
    if (names.some((item) => isNamed(item, selection, ownNamespace, ref))) return [];
    const listed = names.map(({ namespace, kind, name }) => [namespace, kind?.toLowerCase(), name].filter(Boolean));
    const what = `RESOURCE_NAME does not name it: ${listed.map((parts) => parts.join("/")).join(", ")}`;
    return [{ code: "name", what, cure: "add it to RESOURCE_NAME" }];
  }
  return [...ofKind(kinds, ref.kind), ...ofNamespace(selection, ownNamespace, ref.namespace)];
}

/** All reasons; none: it is selected. */
export function whyNotSelected(
  selection: Selection,
  ownNamespace: string,
  ref: ObjectRef,
  { exists, labels = {}, annotations = {}, namespaceLabels }: Sighting,
): Reason[] {
  const { labelSelector, namespaceSelector } = selection;
  const reasons = reasonsBySettings(selection, ownNamespace, ref);
  if (!exists) return [...reasons, { code: "missing", what: "it does not exist", cure: "create it" }];
  const isByNamespace = selection.namespaces === "ALL" && namespaceSelector !== undefined;
  if (isByNamespace && namespaceLabels !== undefined) {
    const unmet = unmetIn(namespaceSelector, namespaceLabels, {});
    reasons.push(...unmet.map(({ what, cure }): Reason => ({
      code: "namespaceSelector",
      what: `its namespace is not selected (NAMESPACE_SELECTOR): ${what}`,
      cure: `on the namespace, ${cure}`,
    })));
  }
  if (selection.names.length > 0 || labelSelector === undefined) return reasons;
  return [
    ...reasons,
    ...unmetIn(labelSelector, labels, annotations).map((unmet): Reason => ({ code: "label", ...unmet })),
  ];
}

function isNamed(item: NamedObject, selection: Selection, own: string, ref: ObjectRef): boolean {
  if (item.name !== ref.name) return false;
  if (item.kind === undefined ? !selection.kinds.includes(ref.kind) : item.kind !== ref.kind) return false;
  if (item.namespace !== undefined) return item.namespace === ref.namespace;
  return ofNamespace(selection, own, ref.namespace).length === 0;
}

function ofKind(kinds: readonly Kind[], kind: Kind): Reason[] {
  if (kinds.includes(kind)) return [];
  const what = `RESOURCE does not select ${pluralOf(kind)}, only ${kinds.map(pluralOf).join(" and ")}`;
  return [{ code: "kind", what, cure: `set RESOURCE=both or RESOURCE=${kind.toLowerCase()}` }];
}

function ofNamespace({ namespaces, namespaceExclude }: Selection, own: string, namespace: string): Reason[] {
  const excluding = namespaceExclude.find((pattern) => namePattern(pattern).test(namespace));
  if (excluding !== undefined) {
    return [{
      code: "namespaceExcluded",
      what: `namespace ${namespace} is excluded: NAMESPACE_EXCLUDE has ${excluding}`,
      cure: `take ${excluding} out of NAMESPACE_EXCLUDE`,
    }];
  }
  const selected = namespaces === "OWN" ? [own] : namespaces;
  if (selected === "ALL" || selected.includes(namespace)) return [];
  return [{
    code: "namespace",
    what: `namespace ${namespace} is not watched: NAMESPACE is ${selected.join(",")}`,
    cure: `add ${namespace} to NAMESPACE, or set NAMESPACE=ALL`,
  }];
}

type Values = Readonly<Record<string, string>>;

function unmetIn(selector: string, labels: Values, annotations: Values): { what: string; cure: string }[] {
  return parseSelector(selector).filter((one) => !matchesSelector([one], labels)).map((one) => {
    const { what, cure } = unmet(one, labels);
    const hint = labelHint(one.key, labels, annotations);
    return { what: hint === undefined || Object.hasOwn(labels, one.key) ? what : `${what}; ${hint}`, cure };
  });
}

function unmet({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>) {
  const present = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const shown = values.map((value) => JSON.stringify(value));
  const either = shown.join(" or ");
  const is = present === undefined ? `label ${key} is missing` : `label ${key} is ${JSON.stringify(present)}`;
  switch (operator) {
    case "exists":
      return { what: is, cure: `add the label ${key}` };
    case "!":
      return { what: `${is}, wanted: none`, cure: `remove the label ${key}` };
    case "!=":
    case "notin":
      return { what: `${is}, wanted: not ${either}`, cure: `change or remove the label ${key}` };
    case "gt":
    case "lt": {
      const wanted = `${operator === "gt" ? "more" : "less"} than ${values[0]}`;
      return { what: `${is}, wanted: ${wanted}`, cure: `set the label ${key} to ${wanted}` };
    }
    default:
      return { what: `${is}, wanted: ${either}`, cure: `set the label ${key} to ${either}` };
  }
}
