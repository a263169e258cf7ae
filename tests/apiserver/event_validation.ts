/**
 * The rules for Events. Those that come in through core/v1 are checked loosely, as clients of old send them;
 * events.k8s.io/v1 is strict, and lets an update change little but the series.
 * Source: kubernetes `pkg/apis/core/validation/events.go`.
 */
import { invalidValue, required } from "./causes.ts";
import type { Resource, StoredObject } from "./resources.ts";
import type { Cause } from "./status.ts";

/** What only core/v1 clients set. */
const DEPRECATED = ["firstTimestamp", "lastTimestamp", "count", "source"];
/** What an update through events.k8s.io/v1 must leave alone. */
const IMMUTABLE = [
  ...["involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "related"],
  ...["reportingComponent", "reportingInstance", "action", "eventTime", "type"],
];

/** An Event in the shape that is kept (core/v1), whose fields the faults name; `strict`: new, by events.k8s.io/v1. */
export function validateEvent(object: StoredObject, strict: boolean): Cause[] {
  const causes: Cause[] = [];
  const namespace = object.metadata.namespace ?? "";
  const regarding = (object.involvedObject ?? {}) as { namespace?: string };
  const ofCluster = (regarding.namespace ?? "") === "";
  const isElsewhere = !ofCluster && !object.eventTime && regarding.namespace !== namespace;
  if (isElsewhere || (ofCluster && !["default", "kube-system"].includes(namespace))) {
    causes.push(invalidValue("involvedObject.namespace", regarding.namespace ?? "", "does not match event.namespace"));
  }
  if (strict && !object.eventTime) causes.push(required("eventTime"));
  if (strict && object.type !== "Normal" && object.type !== "Warning") {
    causes.push(invalidValue("type", object.type ?? "", 'has invalid value: supported values: "Normal", "Warning"'));
  }
  for (const field of strict ? DEPRECATED : []) {
    if (object[field] !== undefined) causes.push(invalidValue(field, "", "needs to be unset"));
  }
  if (object.eventTime) {
    if (!object.reportingComponent) causes.push(required("reportingController"));
    for (const field of ["reportingInstance", "action", "reason"]) causes.push(...limited(object, field, 128, true));
    causes.push(...limited(object, "message", 1024, false));
  }
  return causes;
}

export function validateEventUpdate(resource: Resource, before: StoredObject, after: StoredObject): Cause[] {
  if (resource.group === "") return [];
  return IMMUTABLE
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => invalidValue(field, after[field] ?? null, "field is immutable"));
}

function limited(object: StoredObject, field: string, length: number, isRequired: boolean): Cause[] {
  const value = String(object[field] ?? "");
  if (value === "") return isRequired ? [required(field)] : [];
  return value.length <= length ? [] : [invalidValue(field, "", `can have at most ${length} characters`)];
}
