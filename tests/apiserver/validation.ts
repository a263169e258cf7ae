/**
 * What may be stored, and what an update may change.
 * Source: kubernetes `pkg/apis/core/validation/validation.go`, k8s.io/apimachinery `pkg/api/validation`.
 */
import { isDeepStrictEqual } from "node:util";
import { isLabelKey, isLabelValue } from "../../lib/objects/selector_grammar.ts";
import { forbiddenField, invalidValue, required, tooLong } from "./causes.ts";
import { validateEvent, validateEventUpdate } from "./event_validation.ts";
import type { Resource, StoredMeta, StoredObject } from "./resources.ts";
import type { Cause } from "./status.ts";

/** Bytes of all values together, decoded. */
const MAX_DATA_BYTES = 1024 * 1024;
const MAX_ANNOTATION_BYTES = 256 * 1024;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const STANDARD_FINALIZERS = ["kubernetes", "orphan", "foregroundDeletion"];

const DNS_LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character";
const DNS_SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
  "'.', and must start and end with an alphanumeric character";
const QUALIFIED_NAME_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  "with an alphanumeric character";
const CONFIG_KEY_RULE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";

/** The keys of `data` that a Secret of the type must have; of basic-auth one is enough. */
const REQUIRED_SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

/** The faults of an object by itself; none when it may be stored. A new one may have to meet more. */
export function validateObject(resource: Resource, object: StoredObject, isNew: boolean): Cause[] {
  const causes = validateMeta(resource, object.metadata);
  switch (resource.kind) {
    case "ConfigMap":
      causes.push(...validateData(object));
      break;
    case "Secret":
      causes.push(...validateData(object), ...validateSecretType(object));
      break;
    case "Event":
      causes.push(...validateEvent(object, isNew && resource.group !== ""));
  }
  return causes;
}

/** The faults of a change from `before` to `after`, besides those that `after` has by itself. */
export function validateUpdate(resource: Resource, before: StoredObject, after: StoredObject): Cause[] {
  const causes: Cause[] = [];
  if (before.metadata.deletionTimestamp !== undefined) {
    const known = before.metadata.finalizers ?? [];
    const added = (after.metadata.finalizers ?? []).filter((finalizer) => !known.includes(finalizer));
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${
      JSON.stringify(added)
    }`;
    if (added.length > 0) causes.push(forbiddenField("metadata.finalizers", why));
  }
  if (resource.kind === "Secret" && before.type !== after.type) {
    causes.push(invalidValue("type", after.type, "field is immutable"));
  }
  if (before.immutable === true) {
    const why = "field is immutable when `immutable` is set";
    if (after.immutable !== true) causes.push(forbiddenField("immutable", why));
    for (const field of ["data", "binaryData"]) {
      if (!isDeepStrictEqual(before[field], after[field])) causes.push(forbiddenField(field, why));
    }
  }
  if (resource.kind === "Event") causes.push(...validateEventUpdate(resource, before, after));
  return causes;
}

function validateMeta(resource: Resource, metadata: StoredMeta): Cause[] {
  return [
    ...validateName(resource, metadata),
    ...Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => [
      ...(isLabelKey(key) ? [] : [invalidValue("metadata.labels", key, QUALIFIED_NAME_RULE)]),
      ...(isLabelValue(value) ? [] : [invalidValue(
        "metadata.labels",
        value,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start " +
          "and end with an alphanumeric character",
      )]),
    ]),
    ...validateAnnotations(metadata.annotations ?? {}),
    ...(metadata.finalizers ?? []).flatMap((finalizer, index) => {
      if (!isLabelKey(finalizer)) return [invalidValue("metadata.finalizers", finalizer, QUALIFIED_NAME_RULE)];
      if (finalizer.includes("/") || STANDARD_FINALIZERS.includes(finalizer)) return [];
      const why = "name is neither a standard finalizer name nor is it fully qualified";
      return [invalidValue(`metadata.finalizers[${index}]`, finalizer, why)];
    }),
  ];
}

function validateName(resource: Resource, { name }: StoredMeta): Cause[] {
  if (name === "") return [required("metadata.name", "name or generateName is required")];
  if (resource.kind === "Namespace") {
    return name.length <= 63 && DNS_LABEL.test(name) ? [] : [invalidValue("metadata.name", name, DNS_LABEL_RULE)];
  }
  if (name.length > 253) return [invalidValue("metadata.name", name, "must be no more than 253 characters")];
  return DNS_SUBDOMAIN.test(name) ? [] : [invalidValue("metadata.name", name, DNS_SUBDOMAIN_RULE)];
}

function validateAnnotations(annotations: Record<string, string>): Cause[] {
  const causes: Cause[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    if (!isLabelKey(key.toLowerCase())) causes.push(invalidValue("metadata.annotations", key, QUALIFIED_NAME_RULE));
    bytes += utf8Length(key) + utf8Length(value);
  }
  if (bytes > MAX_ANNOTATION_BYTES) causes.push(tooLong("metadata.annotations", MAX_ANNOTATION_BYTES));
  return causes;
}

function validateData(object: StoredObject): Cause[] {
  const causes: Cause[] = [];
  const binary = (object.binaryData ?? {}) as Record<string, string>;
  const data = (object.data ?? {}) as Record<string, string>;
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    causes.push(...validateConfigKey(`data[${key}]`, key));
    if (Object.hasOwn(binary, key)) {
      causes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    bytes += object.kind === "Secret" ? base64Length(value) : utf8Length(value);
  }
  for (const [key, value] of Object.entries(binary)) {
    causes.push(...validateConfigKey(`binaryData[${key}]`, key));
    bytes += base64Length(value);
  }
  if (bytes > MAX_DATA_BYTES) causes.push(tooLong(object.kind === "Secret" ? "data" : "[]", MAX_DATA_BYTES));
  return causes;
}

function validateConfigKey(field: string, key: string): Cause[] {
  if (key.length > 253) return [invalidValue(field, key, "must be no more than 253 characters")];
  if (!CONFIG_KEY.test(key)) return [invalidValue(field, key, CONFIG_KEY_RULE)];
  if (key === "." || key === "..") return [invalidValue(field, key, `must not be '${key}'`)];
  return key.startsWith("..") ? [invalidValue(field, key, "must not start with '..'")] : [];
}

function validateSecretType(object: StoredObject): Cause[] {
  const data = (object.data ?? {}) as Record<string, string>;
  const type = String(object.type);
  if (type === "kubernetes.io/basic-auth" && data.username === undefined && data.password === undefined) {
    return [required("data[username]"), required("data[password]")];
  }
  const account = "kubernetes.io/service-account.name";
  if (type === "kubernetes.io/service-account-token" && !object.metadata.annotations?.[account]) {
    return [required(`metadata.annotations[${account}]`)];
  }
  const keys = REQUIRED_SECRET_KEYS[type] ?? [];
  return keys.filter((key) => data[key] === undefined).map((key) => required(`data[${key}]`));
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

function base64Length(text: string): number {
  return text.length / 4 * 3 - (text.match(/=*$/)?.[0].length ?? 0);
}
