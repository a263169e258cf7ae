/**
 * Events have two shapes: core/v1 (in which they are kept) and events.k8s.io/v1. They differ in the names of fields.
 * Source: kubernetes `pkg/apis/events/v1/conversion.go`.
 */
import type { StoredObject } from "./stored_object.ts";

const CORE_TO_EVENTS: Readonly<Record<string, string>> = {
  involvedObject: "regarding",
  message: "note",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
  reportingComponent: "reportingController",
};
const EVENTS_TO_CORE = Object.fromEntries(Object.entries(CORE_TO_EVENTS).map(([core, events]) => [events, core]));

export function toEventsV1(stored: StoredObject): StoredObject {
  return { ...renamed(stored, CORE_TO_EVENTS), apiVersion: "events.k8s.io/v1" };
}

export function fromEventsV1(object: StoredObject): StoredObject {
  return { ...renamed(object, EVENTS_TO_CORE), apiVersion: "v1" };
}

function renamed(object: StoredObject, names: Readonly<Record<string, string>>): StoredObject {
  return Object.fromEntries(
    Object.entries(object).map(([field, value]) => [names[field] ?? field, value]),
  ) as StoredObject;
}
