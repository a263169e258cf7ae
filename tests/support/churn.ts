/** A storm of changes: objects that are made, updated, moved, relabelled, made anew and deleted, and want each other's paths. */
import { pick } from "./random.ts";
import { stamped } from "./stamped.ts";
import type { Kind, ObjectFields, Story } from "./story.ts";

export interface ChurnOptions {
  /** Tells the objects of several storms apart. */
  name?: string;
  /** Objects that may exist at one time. */
  objects?: number;
  /** Characters of the largest value. */
  largest?: number;
  /** A request that fails is passed over: somebody is breaking the API server. */
  tolerant?: boolean;
}

interface ObjectState {
  kind: Kind;
  name: string;
  exists: boolean;
  selected: boolean;
  keys: Set<string>;
}

/** Keys that every object may have: whoever comes first has the file. */
const SHARED_KEYS = ["shared-1.txt", "shared-2.txt", "shared-3.txt"];
const OWN_KEYS = 3;
const FOLDERS = [null, "a", "a/b", "c"];
const ANNOTATION = "k8s-sidecar-target-directory";

export class Churn {
  readonly #at: Story;
  readonly #random: () => number;
  readonly #objects: ObjectState[];
  readonly #options: Required<ChurnOptions>;
  /** Never goes back, so that a later content is known from an earlier one. */
  #version = 0;
  /** Changes that the API server took. */
  done = 0;

  constructor(at: Story, random: () => number, options: ChurnOptions = {}) {
    this.#at = at;
    this.#random = random;
    this.#options = { name: "churn", objects: 12, largest: 60_000, tolerant: false, ...options };
    this.#objects = Array.from({ length: this.#options.objects }, (_, index) => ({
      kind: index % 3 === 2 ? "Secret" : "ConfigMap",
      name: `${this.#options.name}-${index}`,
      exists: false,
      selected: false,
      keys: new Set(),
    }));
  }

  /** So many changes, one after the other, or until the signal aborts. */
  async run(changes: number, signal?: AbortSignal): Promise<void> {
    for (let count = 0; count < changes && signal?.aborted !== true; count++) await this.change();
  }

  /** One change of one object. */
  async change(): Promise<void> {
    const object = pick(this.#random, this.#objects);
    try {
      await this.#changeOf(object)();
      this.done++;
    } catch (error) {
      if (!this.#options.tolerant) throw error;
      await this.#lookAgain(object);
    }
  }

  #changeOf(object: ObjectState): () => Promise<void> {
    const at = this.#at;
    const { kind, name } = object;
    if (!object.exists) return () => this.#create(object);
    const dice = this.#random();
    if (dice < 0.45) return () => this.#update(object);
    if (dice < 0.6) {
      const folder = pick(this.#random, FOLDERS);
      return () => at.change(kind, name, { annotations: { [ANNOTATION]: folder } });
    }
    if (dice < 0.75) {
      return async () => {
        await at.change(kind, name, { labels: { [at.label]: object.selected ? null : "yes" } });
        object.selected = !object.selected;
      };
    }
    return async () => {
      await at.delete(kind, name);
      object.exists = false;
      if (dice > 0.9) await this.#create(object);
    };
  }

  async #create(object: ObjectState): Promise<void> {
    const keys = [...SHARED_KEYS, ...this.#ownKeys(object)].filter(() => this.#random() < 0.5);
    const folder = pick(this.#random, FOLDERS);
    const fields: ObjectFields = {
      data: Object.fromEntries(keys.map((key) => [key, this.#content(object, key)])),
      ...(folder === null ? {} : { annotations: { [ANNOTATION]: folder } }),
    };
    await this.#at.create(object.kind, object.name, fields);
    object.exists = object.selected = true;
    object.keys = new Set(keys);
  }

  async #update(object: ObjectState): Promise<void> {
    const key = pick(this.#random, [...SHARED_KEYS, ...this.#ownKeys(object)]);
    const isRemoved = object.keys.has(key) && this.#random() < 0.3;
    const content = isRemoved ? null : this.#content(object, key);
    await this.#at.change(object.kind, object.name, { data: { [key]: content } });
    if (isRemoved) object.keys.delete(key);
    else object.keys.add(key);
  }

  #ownKeys({ kind, name }: ObjectState): string[] {
    return Array.from({ length: OWN_KEYS }, (_, index) => `${kind}-${name}-${index}.txt`);
  }

  #content({ kind, name }: ObjectState, key: string): string {
    const characters = this.#random() ** 4 * this.#options.largest;
    return stamped(`${kind}/${name}/${key}`, ++this.#version, Math.floor(characters));
  }

  /** What a failed request did is not known: the API server is asked, once it can be. */
  async #lookAgain(object: ObjectState): Promise<void> {
    try {
      const plural = `${object.kind.toLowerCase()}s`;
      const path = `/api/v1/namespaces/${this.#at.namespace}/${plural}/${object.name}`;
      const { status, body } = await this.#at.controlPlane.request("GET", path);
      if (status === 404) object.exists = false;
      if (status !== 200) return;
      object.exists = true;
      object.selected = body.metadata.labels?.[this.#at.label] !== undefined;
      object.keys = new Set(Object.keys(body.data ?? {}));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Several storms at once, which want each other's shared paths. */
export function churns(at: Story, random: () => number, count: number, options: ChurnOptions = {}): Churn[] {
  return Array.from({ length: count }, (_, index) => new Churn(at, random, { ...options, name: `churn-${index}` }));
}
