/** Metadata: what of it is the client's, and what a write may ask of the object that is there. */
import type { Resource, StoredMeta, StoredObject } from "./resources.ts";
import { badRequest, conflict } from "./status.ts";

/** What a write expects of the object that is there; what is left out may be anything. */
export interface Wanted {
  uid?: string;
  resourceVersion?: string;
}

/** What a client may say of an object; the rest of the metadata is the server's. */
export function ofClient(
  { generateName, labels, annotations, ownerReferences, finalizers }: StoredMeta,
): Partial<StoredMeta> {
  return dropUndefined({ generateName, labels, annotations, ownerReferences, finalizers });
}

export function dropUndefined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** @throws {StatusError} 409 when the object is not the one, or not in the version, that an update is for. */
export function checkUpdated(resource: Resource, { metadata }: StoredObject, { uid, resourceVersion }: Wanted): void {
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
    throw conflict(resource, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = "the object has been modified; please apply your changes to the latest version and try again";
    throw conflict(resource, metadata.name, why);
  }
}

/** @throws {StatusError} 409 when the object is not the one, or not in the version, that a delete is for. */
export function checkDeleted(resource: Resource, { metadata }: StoredObject, wanted: Wanted): void {
  for (const [field, what] of [["uid", "UID"], ["resourceVersion", "ResourceVersion"]] as const) {
    if (wanted[field] === undefined || wanted[field] === metadata[field]) continue;
    const why = `the ${what} in the precondition (${wanted[field]}) does not match the ${what} in record ` +
      `(${metadata[field]}). The object might have been ${field === "uid" ? "deleted and then recreated" : "modified"}`;
    throw conflict(resource, metadata.name, why);
  }
}

/** @throws {StatusError} 400 when the body names another namespace than the path. */
export function namespaceOf(metadata: StoredMeta, namespace: string | undefined): { namespace?: string } {
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return namespace === undefined ? {} : { namespace };
}

/** @throws {StatusError} 400 when the body of an update does not have the name of the path. */
export function checkName(metadata: StoredMeta, name: string): void {
  if (metadata.name === name) return;
  throw badRequest(
    metadata.name === ""
      ? `the name of the object (${name} based on URL) was undeterminable: name must be provided`
      : `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
  );
}

/** A Namespace carries its name as a label, so that selectors can find it. */
export function withNameLabel(resource: Resource, metadata: StoredMeta): StoredMeta {
  if (resource.kind !== "Namespace") return metadata;
  return { ...metadata, labels: { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name } };
}
