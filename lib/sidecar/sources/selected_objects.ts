/** Passes the objects that a collection selects from the API to the reconciler. */
import type { ObjectApi } from "../../kube/client/object_api.ts";
import type { Log } from "../../log/log.ts";
import type { KubeObject } from "../../objects/object.ts";
import type { ObjectRef } from "../../objects/ref.ts";
import type { Source } from "../../objects/source.ts";
import type { FinalizerGuard } from "../finalizer_guard.ts";
import { type FileObjectReceiver, FileObjects, type ObjectSink } from "./object_sink.ts";
import type { SelectedNamespaces } from "./selected_namespaces.ts";

export interface SelectedObjectsOptions {
  client: Pick<ObjectApi, "read">;
  namespaces: Pick<SelectedNamespaces, "has">;
  finalizerGuard: Pick<FinalizerGuard, "admit"> | undefined;
  log: Pick<Log, "debug">;
}

export class SelectedObjects {
  readonly #options: SelectedObjectsOptions;

  constructor(options: SelectedObjectsOptions) {
    this.#options = options;
  }

  /** Whether an object of a source is selected. A namespace that was chosen by name always is. */
  selects({ namespace: chosen }: Source, namespace: string): boolean {
    return chosen !== undefined || this.#options.namespaces.has(namespace);
  }

  /** Reads an object again. Adds the finalizer if the namespace was not selected when the object was listed. */
  async read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { client, finalizerGuard } = this.#options;
    const object = await client.read(source, ref, signal);
    if (object === undefined || finalizerGuard === undefined || !this.selects(source, ref.namespace)) return object;
    return await finalizerGuard.admit(source, object, signal) === "apply" ? object : undefined;
  }

  /** The receiver of the objects of a source. */
  sinkFor(source: Source, reconciler: FileObjectReceiver): ObjectSink {
    const { finalizerGuard, log } = this.#options;
    const selects = (namespace: string) => this.selects(source, namespace);
    return new FileObjects({ source, reconciler, admit: finalizerGuard?.admit, selects, log });
  }
}
