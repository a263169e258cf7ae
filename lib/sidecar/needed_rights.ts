/** The least rights that the settings need, by namespace, without asking an API server. */
import { ENVIRONMENT_COLLECTION } from "../config/collection_settings.ts";
import type { Config } from "../config/config.ts";
import { type Kind, KINDS, pluralOf } from "../objects/kind.ts";
import type { Source } from "../objects/source.ts";
import { watchGroups } from "./sources/many_namespaces.ts";
import { sourcesOf } from "./sources/sources.ts";

/** One rule of a Role or ClusterRole. */
export interface Rule {
  /** The settings that need it, and remarks; one comment each. */
  reasons: string[];
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

export interface Rights {
  /** The rules of a Role by its namespace, or of a ClusterRole by `undefined`. */
  rules: Map<string | undefined, Rule[]>;
  /** How many namespaces one collection would follow by a single watch if a ClusterRole allowed it. */
  manyNamespaces?: number;
}

/** Objects that collections read. */
interface Target {
  kind: Kind;
  namespace: string | undefined;
  name: string | undefined;
  collections: Set<string>;
}

/** @param ownNamespace the namespace for `OWN` */
export function neededRights(config: Config, ownNamespace: string): Rights {
  const { collections, events, finalizer, method } = config;
  const sources = collections.map(({ name, selection }) => ({ name, sources: sourcesOf(selection, ownNamespace) }));
  const targets = withoutCovered(sources.flatMap(({ name, sources }) => targetsOf(name, sources)));
  // sort() puts undefined last
  const scopes = [...new Set(targets.map(({ namespace }) => namespace))].sort();
  const rules: Rights["rules"] = new Map();
  for (const scope of scopes) {
    const here = targets.filter(({ namespace }) => namespace === scope);
    const verbs = ["get", "list", ...(method === "WATCH" ? ["watch"] : [])];
    const ofScope = objectRules(here, verbs, (target) => fileReasons(target, config, scope));
    if (finalizer !== undefined) {
      ofScope.push(...objectRules(here, ["patch"], () => ["FINALIZERS=true: puts the finalizer on, takes it off"]));
    }
    // A ClusterRole allows Events in all namespaces
    if (events && (scope === undefined || !scopes.includes(undefined))) {
      const reasons = ['EVENT_LOGGING=true ("" is for API servers older than 1.19)'];
      ofScope.push({ reasons, apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] });
    }
    rules.set(scope, ofScope);
  }
  const bySelector = collections.filter(({ selection }) => selection.namespaceSelector !== undefined);
  if (bySelector.length > 0) {
    const reasons = [selectorReason(bySelector.map(({ name }) => name))];
    const rule = { reasons, apiGroups: [""], resources: ["namespaces"], verbs: ["list", "watch"] };
    rules.set(undefined, [...rules.get(undefined) ?? [], rule]);
  }
  const groups = sources.flatMap(({ sources }) => watchGroups(sources).map((group) => group.sources.length));
  const most = Math.max(0, ...groups);
  return { rules, ...(most > 1 ? { manyNamespaces: most } : {}) };
}

function targetsOf(collection: string, sources: readonly Source[]): Target[] {
  return sources.map(({ kind, namespace, name }) => ({ kind, namespace, name, collections: new Set([collection]) }));
}

/** One of each, and none that a wider one includes. */
function withoutCovered(targets: readonly Target[]): Target[] {
  const key = (kind: Kind, namespace?: string, name?: string) => JSON.stringify([kind, namespace ?? "", name ?? ""]);
  const all = new Map<string, Target>();
  for (const target of targets) {
    const known = all.get(key(target.kind, target.namespace, target.name));
    if (known === undefined) all.set(key(target.kind, target.namespace, target.name), target);
    else for (const name of target.collections) known.collections.add(name);
  }
  const kept: Target[] = [];
  for (const target of all.values()) {
    const { kind, namespace, name, collections } = target;
    const wider = [key(kind), key(kind, namespace), key(kind, undefined, name)].map((key) => all.get(key));
    const cover = wider.find((other) => other !== undefined && other !== target);
    if (cover === undefined) kept.push(target);
    else for (const collection of collections) cover.collections.add(collection);
  }
  return kept;
}

/** All objects of the kinds in one rule, and a rule for the named objects of each kind. */
function objectRules(targets: readonly Target[], verbs: string[], reasonsOf: (targets: Target[]) => string[]): Rule[] {
  const rules: Rule[] = [];
  const unnamed = KINDS.flatMap((kind) => targets.filter((one) => one.kind === kind && one.name === undefined));
  if (unnamed.length > 0) {
    const resources = unnamed.map(({ kind }) => pluralOf(kind));
    rules.push({ reasons: reasonsOf(unnamed), apiGroups: [""], resources, verbs });
  }
  for (const kind of KINDS) {
    const named = targets.filter((one) => one.kind === kind && one.name !== undefined);
    if (named.length === 0) continue;
    const resourceNames = named.map(({ name }) => name!).sort();
    rules.push({ reasons: reasonsOf(named), apiGroups: [""], resources: [pluralOf(kind)], resourceNames, verbs });
  }
  return rules;
}

function fileReasons(targets: readonly Target[], config: Config, scope: string | undefined): string[] {
  const isNamed = targets.some(({ name }) => name !== undefined);
  const names = new Set(targets.flatMap(({ collections }) => [...collections]));
  const reasons: string[] = [];
  const environment = config.collections.find(({ name }) => name === ENVIRONMENT_COLLECTION && names.has(name));
  if (environment !== undefined) reasons.push(isNamed ? "RESOURCE_NAME" : environmentReason(environment.selection));
  const others = [...names].filter((name) => name !== ENVIRONMENT_COLLECTION);
  if (others.length > 0) reasons.push(`CONFIG_FILE: ${describeCollections(others)}`);
  if (isNamed) {
    reasons.push("With resourceNames, list and watch are allowed only for one object by its name, as the sidecar asks");
  } else if (targets.some(({ kind }) => kind === "Secret")) {
    const where = scope === undefined ? "cluster" : "namespace";
    reasons.push(`RBAC cannot narrow list and watch by label: this allows reading every Secret of the ${where}`);
  }
  return reasons;
}

function environmentReason({ kinds, namespaces }: Config["collections"][number]["selection"]): string {
  const resource = kinds.length > 1 ? "both" : kinds[0] === "Secret" ? "secret" : "configmap";
  const where = namespaces === "ALL" ? "NAMESPACE=ALL" : namespaces === "OWN" ? "the pod's own namespace" : "NAMESPACE";
  return `RESOURCE=${resource}, ${where}`;
}

function selectorReason(names: readonly string[]): string {
  const others = names.filter((name) => name !== ENVIRONMENT_COLLECTION);
  if (others.length === 0) return "NAMESPACE_SELECTOR";
  const settings = others.length < names.length ? "NAMESPACE_SELECTOR, and namespaceSelector" : "namespaceSelector";
  return `${settings} in CONFIG_FILE: ${describeCollections(others)}`;
}

function describeCollections(names: readonly string[]): string {
  return `${names.length === 1 ? "collection" : "collections"} ${names.toSorted().join(", ")}`;
}
