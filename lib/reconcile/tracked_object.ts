import type { Claimant } from "../files/claimant.ts";
import type { Kind } from "../objects/kind.ts";
import type { KubeObject } from "../objects/object.ts";
import { keyOf, type ObjectRef, refOf } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { type Version, versionOf } from "../objects/version.ts";

/** The part of an object that is stored: never its body, and nothing twice, because there may be tens of thousands. */
export class TrackedObject implements Claimant {
  /** Nearly all objects have one path, which is stored without an array. */
  readonly #paths: string | readonly string[];

  constructor(
    readonly key: string,
    readonly source: Source,
    readonly created: number,
    readonly uid: string,
    readonly version: Version,
    paths: readonly string[],
    /** The list that saw it last. */
    public list: number,
  ) {
    const [path] = paths;
    this.#paths = path !== undefined && paths.length === 1 ? path : paths;
  }

  /** The same object without claims. */
  withoutPaths(): TrackedObject {
    return new TrackedObject(this.key, this.source, this.created, this.uid, this.version, [], this.list);
  }

  /** @param list the list that saw the object last */
  static of(source: Source, { metadata }: KubeObject, paths: readonly string[], list: number): TrackedObject {
    const { uid, resourceVersion, namespace, name, creationTimestamp } = metadata;
    const created = Math.floor(Date.parse(creationTimestamp) / 1000) || 0;
    const key = keyOf({ kind: source.kind, namespace, name });
    return new TrackedObject(key, source, created, uid, versionOf(resourceVersion), paths, list);
  }

  /** Whether it is this version of this object. A front end may leave out what would tell. */
  isVersion({ metadata: { uid, resourceVersion } }: KubeObject): boolean {
    return resourceVersion !== undefined && uid === this.uid && versionOf(resourceVersion) === this.version;
  }

  get paths(): readonly string[] {
    return typeof this.#paths === "string" ? [this.#paths] : this.#paths;
  }

  get kind(): Kind {
    return this.source.kind;
  }

  get namespace(): string {
    return refOf(this.key).namespace;
  }

  get name(): string {
    return refOf(this.key).name;
  }
}

/** An object of a source. */
export function refIn({ kind }: Source, { metadata: { namespace, name } }: KubeObject): ObjectRef {
  return { kind, namespace, name };
}
