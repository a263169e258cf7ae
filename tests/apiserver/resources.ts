/** The resources that the embedded API server serves. */
import { fromEventsV1, toEventsV1 } from "./event_conversion.ts";
import type { StoredObject } from "./stored_object.ts";

export type { StoredMeta, StoredObject } from "./stored_object.ts";

/** The maps and scalars of an object besides metadata, by which a body is read. */
export type FieldType = "text" | "boolean" | "textMap" | "base64Map" | "any";

export interface Resource {
  /** `""` for core. */
  group: string;
  version: string;
  /** As in a path: `configmaps`. */
  plural: string;
  kind: string;
  namespaced: boolean;
  shortNames: readonly string[];
  verbs: readonly string[];
  /** Resources with the same storage show the same objects, each in its own shape. */
  storage: string;
  fields: Readonly<Record<string, FieldType>>;
  /** From the shape that is kept to this resource's, and back. Left out where they are one. */
  encode?(stored: StoredObject): StoredObject;
  decode?(object: StoredObject): StoredObject;
}

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

export const CONFIG_MAPS: Resource = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
  namespaced: true,
  shortNames: ["cm"],
  verbs: VERBS,
  storage: "configmaps",
  fields: { immutable: "boolean", data: "textMap", binaryData: "base64Map" },
};

export const SECRETS: Resource = {
  group: "",
  version: "v1",
  plural: "secrets",
  kind: "Secret",
  namespaced: true,
  shortNames: [],
  verbs: VERBS,
  storage: "secrets",
  fields: { immutable: "boolean", data: "base64Map", stringData: "textMap", type: "text" },
};

export const NAMESPACES: Resource = {
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
  shortNames: ["ns"],
  verbs: VERBS.filter((verb) => verb !== "deletecollection"),
  storage: "namespaces",
  fields: { spec: "any", status: "any" },
};

export const CORE_EVENTS: Resource = {
  group: "",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
  shortNames: ["ev"],
  verbs: VERBS,
  storage: "events",
  fields: {
    involvedObject: "any",
    reason: "text",
    message: "text",
    source: "any",
    firstTimestamp: "any",
    lastTimestamp: "any",
    count: "any",
    type: "text",
    eventTime: "any",
    series: "any",
    action: "text",
    related: "any",
    reportingComponent: "text",
    reportingInstance: "text",
  },
};

export const EVENTS: Resource = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
  shortNames: ["ev"],
  verbs: VERBS,
  storage: "events",
  fields: {
    eventTime: "any",
    series: "any",
    reportingController: "text",
    reportingInstance: "text",
    action: "text",
    reason: "text",
    regarding: "any",
    related: "any",
    note: "text",
    type: "text",
    deprecatedSource: "any",
    deprecatedFirstTimestamp: "any",
    deprecatedLastTimestamp: "any",
    deprecatedCount: "any",
  },
  encode: toEventsV1,
  decode: fromEventsV1,
};

export const RESOURCES: readonly Resource[] = [CONFIG_MAPS, SECRETS, NAMESPACES, CORE_EVENTS, EVENTS];

/** `v1`, `events.k8s.io/v1`: what an object of the resource has as `apiVersion`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

export function findResource(apiVersion: string, plural: string): Resource | undefined {
  return RESOURCES.find((resource) => apiVersionOf(resource) === apiVersion && resource.plural === plural);
}
