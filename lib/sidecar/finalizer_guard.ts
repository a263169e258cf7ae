/** FINALIZERS: an object is deleted only after its files were removed. Loaded only when it is set. */
import type { KubeClient } from "../kube/client/client.ts";
import { Finalizers } from "../kube/finalizers/finalizers.ts";
import type { Log } from "../log/log.ts";
import type { KubeObject } from "../objects/object.ts";
import { aboutObject, describeRef, type ObjectRef } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Heartbeat } from "../runtime/heartbeat.ts";
import { messageOf } from "../runtime/message_of.ts";

export interface FinalizerGuardOptions {
  client: KubeClient;
  /** The finalizer's name: `example.com/files`. */
  name: string;
  heartbeat: Heartbeat;
  /** `false` with METHOD=LIST. */
  retries?: boolean;
  clock: Clock;
  random: () => number;
  log: Log;
}

export interface FinalizerGuard {
  /**
   * Called before an object is published: adds the finalizer. `retire`: it is being deleted; remove its files instead.
   */
  admit(source: Source, object: KubeObject, signal: AbortSignal): Promise<"apply" | "retire">;
  /** Removes the finalizer from an object that has no files left. */
  release(ref: ObjectRef): void;
  run(signal: AbortSignal): Promise<void>;
  /** Tries once to remove the finalizers that are queued for removal. */
  flush(signal: AbortSignal): Promise<unknown>;
}

export function openFinalizerGuard(options: FinalizerGuardOptions): FinalizerGuard {
  const finalizers = new Finalizers(options);
  return {
    async admit({ kind }, object, signal) {
      try {
        return await finalizers.add(kind, object, signal) === "deleting" ? "retire" : "apply";
      } catch (error) {
        if (signal.aborted) throw error;
        // The files are written without it
        const { namespace, name } = object.metadata;
        const ref = { kind, namespace, name };
        options.log.warn(
          `could not add the finalizer to ${describeRef(ref)}: ${messageOf(error)}` +
            (options.retries ?? true ? "; it is tried again at the object's next event or list" : ""),
          aboutObject(ref),
        );
        return "apply";
      }
    },
    release: (ref) => finalizers.release(ref),
    run: (signal) => finalizers.run(signal),
    flush: (signal) => finalizers.flush(signal),
  };
}
