/** Receives the objects of a source. */
import type { KubeObject } from "../../objects/object.ts";
import type { Source } from "../../objects/source.ts";
import type { Log } from "../../log/log.ts";
import { aboutObject, describeRef } from "../../objects/ref.ts";
import type { Reconciler } from "../../reconcile/reconciler.ts";

export interface ObjectSink {
  /** A list begins. */
  beginList(): void;
  /** The list is complete: objects that were not in it no longer exist. */
  endList(): void;
  /** An object as it is now. `listed`: it came in a list. */
  apply(object: KubeObject, listed: boolean, signal: AbortSignal): void | Promise<void>;
  /** The object was deleted, or is no longer selected. */
  delete(object: KubeObject): void;
  /** The API server refuses the source. Returns whether the receiver does without it, so that it is no failure. */
  forbidden?(): boolean;
}

export type FileObjectReceiver = Pick<Reconciler, "beginList" | "endList" | "apply" | "delete" | "retire">;

export interface FileObjectsOptions {
  source: Source;
  reconciler: FileObjectReceiver;
  /** With finalizers: called before an object is published; `retire`: it is being deleted; remove its files instead. */
  admit: ((source: Source, object: KubeObject, signal: AbortSignal) => Promise<"apply" | "retire">) | undefined;
  /** Whether objects of a namespace are selected. */
  selects(namespace: string): boolean;
  log: Pick<Log, "debug">;
}

/** Passes the objects of a source to the reconciler. With FINALIZERS, each gets its finalizer first. */
export class FileObjects implements ObjectSink {
  readonly #options: FileObjectsOptions;

  constructor(options: FileObjectsOptions) {
    this.#options = options;
  }

  beginList(): void {
    this.#options.reconciler.beginList(this.#options.source);
  }

  endList(): void {
    this.#options.reconciler.endList(this.#options.source);
  }

  async apply(object: KubeObject, listed: boolean, signal: AbortSignal): Promise<void> {
    const { source, reconciler, admit, selects, log } = this.#options;
    const { namespace, name, deletionTimestamp } = object.metadata;
    const isSelected = selects(namespace);
    if (!isSelected) {
      const ref = { kind: source.kind, namespace, name };
      log.debug(`${describeRef(ref)}: its namespace is not selected`, aboutObject(ref));
    }
    // An object that is not selected matters only while it is being deleted: it may still carry our finalizer
    const isAsked = isSelected || deletionTimestamp !== undefined;
    if (admit !== undefined && isAsked && await admit(source, object, signal) === "retire") {
      reconciler.retire(source, object);
    } else reconciler.apply(source, object, listed);
  }

  delete(object: KubeObject): void {
    this.#options.reconciler.delete(this.#options.source, object);
  }
}
