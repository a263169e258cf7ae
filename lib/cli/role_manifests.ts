/** Roles, ClusterRoles and their bindings as YAML text. */
import type { Rights, Rule } from "../sidecar/needed_rights.ts";
import { MAX_COLUMNS, wrapText } from "./report.ts";

export interface RoleOptions {
  /** Of all roles and bindings. */
  name: string;
  /** The service account. */
  subject: { namespace: string; name: string };
  /** Before the first document. */
  comments: readonly string[];
}

/** A role and its binding for each scope. */
export function roleManifests(rules: Rights["rules"], { name, subject, comments }: RoleOptions): string {
  const documents = [...rules].flatMap(([namespace, rules]) => {
    const kind = namespace === undefined ? "ClusterRole" : "Role";
    const metadata = ["metadata:", `  name: ${scalar(name)}`];
    if (namespace !== undefined) metadata.push(`  namespace: ${scalar(namespace)}`);
    const head = (kind: string) => ["---", "apiVersion: rbac.authorization.k8s.io/v1", `kind: ${kind}`, ...metadata];
    const role = [...head(kind), "rules:", ...rules.flatMap(ruleLines)];
    const binding = [
      ...head(`${kind}Binding`),
      "subjects:",
      "  - kind: ServiceAccount",
      `    name: ${scalar(subject.name)}`,
      `    namespace: ${scalar(subject.namespace)}`,
      "roleRef:",
      "  apiGroup: rbac.authorization.k8s.io",
      `  kind: ${kind}`,
      `  name: ${scalar(name)}`,
    ];
    return [...role, ...binding];
  });
  return [...comments.map((text) => comment("", text)), ...documents].join("\n");
}

function ruleLines({ reasons, apiGroups, resources, resourceNames, verbs }: Rule): string[] {
  return [
    ...reasons.map((reason) => comment("  ", reason)),
    `  - apiGroups: ${flow(apiGroups)}`,
    `    resources: ${flow(resources)}`,
    ...(resourceNames === undefined ? [] : list("resourceNames", resourceNames)),
    `    verbs: ${flow(verbs)}`,
  ];
}

function comment(indent: string, text: string): string {
  return wrapText(text, { first: `${indent}# `, indent: `${indent}# ` });
}

function list(key: string, items: readonly string[]): string[] {
  const line = `    ${key}: ${flow(items)}`;
  return line.length <= MAX_COLUMNS ? [line] : [`    ${key}:`, ...items.map((item) => `      - ${scalar(item)}`)];
}

function flow(items: readonly string[]): string {
  return `[${items.map(scalar).join(", ")}]`;
}

/** Texts that YAML takes for something else. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/;

function scalar(text: string): string {
  return /^[a-z][-.a-z0-9]*$/.test(text) && !WORDS.test(text) ? text : JSON.stringify(text);
}
