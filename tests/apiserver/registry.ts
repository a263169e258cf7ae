/**
 * Creates, updates and deletes objects by the API's rules: what lies between a request and the store.
 * Source: k8s.io/apiserver `pkg/registry/generic/registry/store.go` and the strategies of each resource.
 */
import { isDeepStrictEqual } from "node:util";
import { decodeObject, encodeObject } from "./codec.ts";
import {
  checkDeleted,
  checkName,
  checkUpdated,
  dropUndefined,
  namespaceOf,
  ofClient,
  type Wanted,
  withNameLabel,
} from "./metadata.ts";
import { applyPatch } from "./patch.ts";
import {
  CONFIG_MAPS,
  CORE_EVENTS,
  NAMESPACES,
  type Resource,
  SECRETS,
  type StoredMeta,
  type StoredObject,
} from "./resources.ts";
import { alreadyExists, badRequest, forbidden, invalid, notFound } from "./status.ts";
import type { Store } from "./store.ts";
import { validateObject, validateUpdate } from "./validation.ts";

export interface RegistryOptions {
  /** Default: the system's clock. */
  now?: () => Date;
  /** Gives uids, and the ends of generated names. Default: `crypto.randomUUID`. */
  randomUUID?: () => string;
}

export interface WriteOptions {
  /** Answer as if, but keep nothing. */
  dryRun?: boolean;
  /** Refuse unknown fields instead of dropping them. */
  strict?: boolean;
}

export interface DeleteOptions extends WriteOptions {
  preconditions?: Wanted;
}

/** They are there from the start, and stay. */
const SYSTEM_NAMESPACES = ["default", "kube-public", "kube-system"];
/** What a namespace may hold. */
const CONTENTS: readonly Resource[] = [CONFIG_MAPS, SECRETS, CORE_EVENTS];
const EVENT_TTL_MS = 60 * 60 * 1000;
const EVENT_EXPIRY_INTERVAL_MS = 60 * 1000;

/**
 * Bodies are as a client sends them, results in the shape that is kept. All methods throw a {@link StatusError} with the
 * code and reason of the real API server.
 */
export class Registry {
  readonly store: Store;
  readonly #now: () => Date;
  readonly #randomUUID: () => string;
  #nextEventExpiry = 0;

  constructor(store: Store, options: RegistryOptions = {}) {
    this.store = store;
    this.#now = options.now ?? (() => new Date());
    this.#randomUUID = options.randomUUID ?? (() => crypto.randomUUID());
    for (const name of SYSTEM_NAMESPACES) this.create(NAMESPACES, undefined, { metadata: { name } });
  }

  /** @throws {StatusError} 404 */
  get(resource: Resource, namespace: string | undefined, name: string): StoredObject {
    const object = this.store.get(resource.storage, namespace, name);
    if (object === undefined) throw notFound(resource, name);
    return object;
  }

  /** @throws {StatusError} 400, 403 (namespace on its way out), 404 (no such namespace), 409 (exists), 422 */
  create(resource: Resource, namespace: string | undefined, body: unknown, options: WriteOptions = {}): StoredObject {
    const decoded = decodeObject(resource, body, options.strict);
    const { metadata } = decoded;
    if (metadata.resourceVersion !== undefined) {
      throw badRequest("resourceVersion should not be set on objects to be created");
    }
    const name = metadata.name === "" && metadata.generateName !== undefined
      ? metadata.generateName + this.#randomUUID().slice(0, 5)
      : metadata.name;
    const object = {
      ...decoded,
      metadata: withNameLabel(resource, {
        ...ofClient(metadata),
        name,
        ...namespaceOf(metadata, namespace),
        uid: this.#randomUUID(),
        creationTimestamp: this.#timestamp(),
      }),
    };
    if (resource.kind === "Namespace") {
      Object.assign(object, { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
    }
    this.#requireNamespace(resource, object);
    this.#validate(resource, object);
    if (this.store.get(resource.storage, namespace, name) !== undefined) throw alreadyExists(resource, name);
    if (options.dryRun) return object;
    const created = this.store.put(resource.storage, object);
    if (resource.storage === CORE_EVENTS.storage) this.#expireEvents();
    return created;
  }

  /**
   * Replaces the object. A body without resourceVersion replaces whatever is there. One that changes nothing leaves the
   * version as it is. An object on its way out is gone once its last finalizer is.
   *
   * @throws {StatusError} 400, 404, 409 (not the version that is there), 422
   */
  update(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    body: unknown,
    options: WriteOptions = {},
  ): StoredObject {
    const decoded = decodeObject(resource, body, options.strict);
    checkName(decoded.metadata, name);
    const inNamespace = namespaceOf(decoded.metadata, namespace);
    const before = this.get(resource, namespace, name);
    checkUpdated(resource, before, decoded.metadata);
    const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, resourceVersion } = before.metadata;
    const object = {
      ...decoded,
      ...(resource.kind === "Namespace" ? { spec: before.spec, status: before.status } : {}),
      metadata: withNameLabel(
        resource,
        dropUndefined({
          ...ofClient(decoded.metadata),
          name,
          ...inNamespace,
          uid,
          creationTimestamp,
          deletionTimestamp,
          deletionGracePeriodSeconds,
          resourceVersion,
        }) as StoredMeta,
      ),
    };
    this.#validate(resource, object, before);
    const unchanged = isDeepStrictEqual(object, before);
    if (options.dryRun || (unchanged && deletionTimestamp === undefined)) return unchanged ? before : object;
    if (deletionTimestamp !== undefined && !this.#held(resource, object)) {
      this.#remove(resource, object);
      return object;
    }
    return unchanged ? before : this.store.put(resource.storage, object);
  }

  /**
   * Patches the object, whatever its version, unless the patch itself names one.
   *
   * @throws {StatusError} 400, 404, 409, 415, 422
   */
  patch(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    mediaType: string,
    patch: unknown,
    options: WriteOptions = {},
  ): StoredObject {
    const before = encodeObject(resource, this.get(resource, namespace, name));
    return this.update(resource, namespace, name, applyPatch(mediaType, before, patch), options);
  }

  /**
   * Deletes the object, and with a namespace what is in it. One with finalizers only gets a deletionTimestamp: it is gone
   * once an update has removed them.
   *
   * @returns the object as it was left; `deleted` tells whether it is gone.
   * @throws {StatusError} 403 (a system namespace), 404, 409 (a precondition does not hold)
   */
  delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): { object: StoredObject; deleted: boolean } {
    const before = this.get(resource, namespace, name);
    checkDeleted(resource, before, options.preconditions ?? {});
    if (resource.kind === "Namespace" && SYSTEM_NAMESPACES.includes(name)) {
      throw forbidden(resource, name, "this namespace may not be deleted");
    }
    const deletesNow = resource.kind !== "Namespace" && !this.#held(resource, before);
    if (options.dryRun) return { object: before, deleted: deletesNow };
    if (deletesNow) return { object: this.#remove(resource, before), deleted: true };

    const marked = before.metadata.deletionTimestamp === undefined ? this.#mark(resource, before) : before;
    if (resource.kind === "Namespace") this.#empty(name);
    return { object: marked, deleted: false };
  }

  #mark(resource: Resource, object: StoredObject): StoredObject {
    const metadata = { ...object.metadata, deletionTimestamp: this.#timestamp() };
    return this.store.put(
      resource.storage,
      resource.kind === "Namespace"
        ? { ...object, status: { phase: "Terminating" }, metadata }
        : { ...object, metadata: { ...metadata, deletionGracePeriodSeconds: 0 } },
    );
  }

  #empty(namespace: string): void {
    for (const resource of CONTENTS) {
      for (const { metadata } of this.store.list(resource.storage)) {
        if (metadata.namespace === namespace) this.delete(resource, namespace, metadata.name);
      }
    }
    this.#finishNamespace(namespace);
  }

  #remove(resource: Resource, { metadata }: StoredObject): StoredObject {
    const removed = this.store.delete(resource.storage, metadata.namespace, metadata.name);
    if (removed === undefined) throw notFound(resource, metadata.name);
    if (metadata.namespace !== undefined) this.#finishNamespace(metadata.namespace);
    return removed;
  }

  /** A namespace on its way out goes with the last object in it. */
  #finishNamespace(name: string): void {
    const namespace = this.store.get(NAMESPACES.storage, undefined, name);
    if (namespace?.metadata.deletionTimestamp === undefined || this.#held(NAMESPACES, namespace)) return;
    this.store.delete(NAMESPACES.storage, undefined, name);
  }

  #held(resource: Resource, object: StoredObject): boolean {
    if ((object.metadata.finalizers ?? []).length > 0) return true;
    if (resource.kind !== "Namespace") return false;
    return CONTENTS.some(({ storage }) => this.store.hasObjectsIn(storage, object.metadata.name));
  }

  #requireNamespace(resource: Resource, { metadata: { namespace, name } }: StoredObject): void {
    if (namespace === undefined) return;
    const found = this.get(NAMESPACES, undefined, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(resource, name, why);
  }

  #validate(resource: Resource, object: StoredObject, before?: StoredObject): void {
    const causes = validateObject(resource, object, before === undefined);
    if (before !== undefined) causes.push(...validateUpdate(resource, before, object));
    if (causes.length > 0) throw invalid(resource, object.metadata.name, causes);
  }

  /** Events go after an hour, as on a real cluster; looked after when a new one comes, once a minute at most. */
  #expireEvents(): void {
    const now = this.#now().getTime();
    if (now < this.#nextEventExpiry) return;
    this.#nextEventExpiry = now + EVENT_EXPIRY_INTERVAL_MS;
    const oldest = new Date(now - EVENT_TTL_MS);
    for (const { metadata } of this.store.list(CORE_EVENTS.storage)) {
      if (new Date(metadata.creationTimestamp ?? 0) < oldest) {
        this.store.delete(CORE_EVENTS.storage, metadata.namespace, metadata.name);
      }
    }
  }

  #timestamp(): string {
    return this.#now().toISOString().replace(/\.[0-9]+Z$/, "Z");
  }
}
