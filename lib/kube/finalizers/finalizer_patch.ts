/**
 * Puts one finalizer on an object and takes it off, leaving those of others alone whoever changes them meanwhile: in a
 * strategic merge patch the list of finalizers is a set, which the API server changes in one step. (With a merge patch
 * or a JSON patch the whole list would be written, and every change in between would be a conflict.)
 * Source: `patchStrategy=merge` of ObjectMeta.finalizers in k8s.io/apimachinery; directives:
 * https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md
 */
import type { KubeClient } from "../client/client.ts";
import { type ObjectMeta } from "../../objects/object.ts";
import { type ObjectRef } from "../../objects/ref.ts";
import { pluralOf } from "../../objects/kind.ts";

/** What finalizers need of a client. */
export type FinalizerClient = Pick<KubeClient, "request">;

const STRATEGIC_MERGE = "application/strategic-merge-patch+json";

/**
 * Puts the finalizer on the object with this uid. No change when it is there already. Returns the object's metadata.
 *
 * @throws {ApiError} 409 or 422 also when another object has the name by now, or when the object is being deleted
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
 * Takes the finalizer off the object. No change when it is not there.
 *
 * @throws {ApiError} 404 when the object is gone
 * @throws {AnswerError | TransportError | CredentialsError}
 */
export async function takeOffFinalizer(
  client: FinalizerClient,
  ref: ObjectRef,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  const value = { metadata: { "$deleteFromPrimitiveList/finalizers": [finalizer] } };
  await client.request("PATCH", objectPath(ref), signal, { type: STRATEGIC_MERGE, value });
}

/**
 * Reads the object's metadata as it is now.
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
