/**
 * Adds one finalizer to an object and removes it, without changing other finalizers, even under concurrent changes.
 * A strategic merge patch treats the list of finalizers as a set and changes it in one step. A merge patch or a JSON
 * patch would write the whole list, and every concurrent change would be a conflict.
 * Source: `patchStrategy=merge` of ObjectMeta.finalizers in k8s.io/apimachinery; directives:
 * https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md
 */
import type { KubeClient } from "../client/client.ts";
import { type ObjectMeta } from "../../objects/object.ts";
import { type ObjectRef } from "../../objects/ref.ts";
import { pluralOf } from "../../objects/kind.ts";

/** The part of the client that is used here. */
export type FinalizerClient = Pick<KubeClient, "request">;

const STRATEGIC_MERGE = "application/strategic-merge-patch+json";

/**
 * Adds the finalizer to the object with this uid; no change if it is already there. Returns the object's metadata.
 *
 * @throws {ApiError} 409 or 422 if another object now has the name, or if the object is being deleted
 * @throws {AnswerError | TransportError | CredentialsError}
 */
export async function addFinalizer(
  client: FinalizerClient,
  ref: ObjectRef,
  uid: string,
  finalizer: string,
  signal: AbortSignal,
): Promise<ObjectMeta> {
  const value = { metadata: { uid, finalizers: [finalizer] } };
  return metadataOf(await client.request("PATCH", objectPath(ref), signal, { type: STRATEGIC_MERGE, value }));
}

/**
 * Removes the finalizer from the object; no change if it is not there.
 *
 * @throws {ApiError} 404 if the object no longer exists
 * @throws {AnswerError | TransportError | CredentialsError}
 */
export async function removeFinalizer(
  client: FinalizerClient,
  ref: ObjectRef,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const value = { metadata: { "$deleteFromPrimitiveList/finalizers": [finalizer] } };
  await client.request("PATCH", objectPath(ref), signal, { type: STRATEGIC_MERGE, value });
}

/**
 * Reads the object's current metadata.
 *
 * @throws {ApiError | AnswerError | TransportError | CredentialsError}
 */
export async function readMetadata(client: FinalizerClient, ref: ObjectRef, signal: AbortSignal): Promise<ObjectMeta> {
  return metadataOf(await client.request("GET", objectPath(ref), signal));
}

function objectPath(ref: ObjectRef): string {
  return `/api/v1/namespaces/${ref.namespace}/${pluralOf(ref.kind)}/${ref.name}`;
}

function metadataOf(object: unknown): ObjectMeta {
  return (object as { metadata: ObjectMeta }).metadata;
}
