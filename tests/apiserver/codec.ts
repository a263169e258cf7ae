/** Reads the body of a request into the shape that is kept, as the API server's decoder does. */
import { apiVersionOf, type FieldType, type Resource, type StoredMeta, type StoredObject } from "./resources.ts";
import { badRequest, type StatusError } from "./status.ts";

type Json = Record<string, unknown>;

const META_FIELDS: Readonly<Record<string, FieldType>> = {
  name: "text",
  generateName: "text",
  namespace: "text",
  uid: "text",
  resourceVersion: "text",
  creationTimestamp: "text",
  deletionTimestamp: "text",
  deletionGracePeriodSeconds: "any",
  labels: "textMap",
  annotations: "textMap",
  ownerReferences: "any",
  finalizers: "any",
};

/** Taken without complaint and dropped. */
const IGNORED_META_FIELDS = new Set(["managedFields", "selfLink", "generation"]);

/**
 * Reads an object of the resource. Unknown fields are dropped, or refused when `strict`; `null` is as good as absent; maps
 * are sorted by key; what is empty is left out. A Secret's `stringData` goes into `data`, its type is Opaque unless given. The result is in the shape that
 * is kept and holds nothing of `body` that could be changed from outside.
 *
 * @throws {StatusError} 400 when the body is no such object, or a value has the wrong type or is no base64.
 */
export function decodeObject(resource: Resource, body: unknown, strict = false): StoredObject {
  const apiVersion = apiVersionOf(resource);
  if (!isJson(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`);
  const given = { kind: body.kind ?? resource.kind, apiVersion: body.apiVersion ?? apiVersion };
  if (given.kind !== resource.kind || given.apiVersion !== apiVersion) {
    throw badRequest(
      `${given.kind} in version "${given.apiVersion}" cannot be handled as a ${resource.kind} in version "${apiVersion}"`,
    );
  }
  const metadata = body.metadata ?? {};
  if (!isJson(metadata)) throw cannotHandle(resource, "metadata", "expects an object");
  if (strict) {
    const { kind: _, apiVersion: __, metadata: ___, ...rest } = body;
    refuseUnknown("", rest, resource.fields);
    refuseUnknown("metadata.", metadata, META_FIELDS);
  }
  const object: StoredObject = {
    kind: resource.kind,
    apiVersion,
    metadata: { name: "", ...readFields(resource, metadata, META_FIELDS) } as StoredMeta,
    ...readFields(resource, body, resource.fields),
  };
  if (resource.kind === "Secret") {
    mergeStringData(object);
    object.type ??= "Opaque";
  }
  checkTypes(resource, object.metadata);
  return resource.decode?.(object) ?? object;
}

/** The object in the resource's own shape. */
export function encodeObject(resource: Resource, stored: StoredObject): StoredObject {
  return resource.encode?.(stored) ?? stored;
}

function refuseUnknown(prefix: string, fields: Json, known: Readonly<Record<string, FieldType>>): void {
  const unknown = Object.keys(fields).filter((field) =>
    !Object.hasOwn(known, field) && !(prefix !== "" && IGNORED_META_FIELDS.has(field))
  );
  if (unknown.length === 0) return;
  throw badRequest(`strict decoding error: ${unknown.map((field) => `unknown field "${prefix}${field}"`).join(", ")}`);
}

function readFields(resource: Resource, from: Json, types: Readonly<Record<string, FieldType>>): Json {
  const fields: Json = {};
  for (const [field, type] of Object.entries(types)) {
    const value = from[field];
    if (value === undefined || value === null) continue;
    const read = readField(resource, field, value, type);
    if (read !== undefined) fields[field] = read;
  }
  return fields;
}

function readField(resource: Resource, field: string, value: unknown, type: FieldType): unknown {
  switch (type) {
    case "text":
      if (typeof value !== "string") throw cannotHandle(resource, field, `expects a string, but found ${typeof value}`);
      return value === "" ? undefined : value;
    case "boolean":
      if (typeof value !== "boolean") {
        throw cannotHandle(resource, field, `expects a boolean, but found ${typeof value}`);
      }
      return value;
    case "textMap":
    case "base64Map":
      return readMap(resource, field, value, type === "base64Map");
    case "any":
      if (Array.isArray(value) && value.length === 0) return undefined;
      return structuredClone(value);
  }
}

function readMap(resource: Resource, field: string, value: unknown, base64: boolean): Json | undefined {
  if (!isJson(value)) throw cannotHandle(resource, field, "expects an object");
  const keys = Object.keys(value).sort();
  if (keys.length === 0) return undefined;
  const entries = keys.map((key): [string, string] => {
    const text = value[key] ?? "";
    if (typeof text !== "string") {
      throw cannotHandle(resource, `${field}[${key}]`, `expects a string, but found ${typeof text}`);
    }
    if (!base64) return [key, text];
    const bare = text.replace(/[\r\n]/g, "");
    if (!isBase64(bare)) throw cannotHandle(resource, `${field}[${key}]`, "illegal base64 data");
    return [key, bare];
  });
  return Object.fromEntries(entries);
}

function mergeStringData(object: StoredObject): void {
  const { stringData, ...rest } = object as StoredObject & { stringData?: Record<string, string> };
  if (stringData === undefined) return;
  const data = new Map(Object.entries(rest.data ?? {}));
  for (const [key, text] of Object.entries(stringData)) data.set(key, new TextEncoder().encode(text).toBase64());
  object.data = Object.fromEntries([...data].sort(([a], [b]) => a < b ? -1 : 1));
  delete object.stringData;
}

function checkTypes(resource: Resource, { finalizers, ownerReferences }: StoredMeta): void {
  if (
    finalizers !== undefined && !(Array.isArray(finalizers) && finalizers.every((item) => typeof item === "string"))
  ) {
    throw cannotHandle(resource, "metadata.finalizers", "expects a list of strings");
  }
  if (ownerReferences !== undefined && !(Array.isArray(ownerReferences) && ownerReferences.every(isJson))) {
    throw cannotHandle(resource, "metadata.ownerReferences", "expects a list of objects");
  }
}

/** Standard alphabet, padded: what Go's decoder takes. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cannotHandle(resource: Resource, field: string, why: string): StatusError {
  const { version, kind } = resource;
  return badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: ${version}.${kind}.${field}: ${why}`,
  );
}
