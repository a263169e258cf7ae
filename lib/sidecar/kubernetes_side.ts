/** Assembles what the sidecar tells Kubernetes: Events on objects, and finalizers. What is not configured is not loaded. */
import type { Clock } from "../runtime/clock.ts";
import { Heartbeat } from "../runtime/heartbeat.ts";
import type { KubeClient } from "../kube/client/client.ts";
import { describeRef, type ObjectRef } from "../objects/ref.ts";
import { type KubeObject } from "../objects/object.ts";
import { type Source } from "../objects/source.ts";
import type { Log } from "../log/log.ts";
import type { FileEvent } from "../reconcile/file_event.ts";

export interface KubernetesSideOptions {
  client: KubeClient;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** Posts Events; `flush` posts what is left, once. */
export interface Events {
  readonly heartbeat: Pick<Heartbeat, "overdue">;
  tell(event: FileEvent): void;
  run(signal: AbortSignal): Promise<void>;
  flush(signal: AbortSignal): Promise<unknown>;
}

/** Holds objects back until their files are gone; `flush` lets go of what is left, once. */
export interface Holds {
  readonly heartbeat: Pick<Heartbeat, "overdue">;
  /** Asked before an object is published. `retire`: it is being deleted, its files must go. */
  admit(source: Source, object: KubeObject, signal: AbortSignal): Promise<"apply" | "retire">;
  /** The object has no file left. */
  release(ref: ObjectRef): void;
  run(signal: AbortSignal): Promise<void>;
  flush(signal: AbortSignal): Promise<unknown>;
}

/** Paths that an Event names; there may be two thousand. */
const NAMED_PATHS = 5;

/** EVENT_LOGGING. */
export async function openEvents(options: KubernetesSideOptions): Promise<Events> {
  const { EventRecorder } = await import("../kube/events/event_recorder.ts");
  const heartbeat = new Heartbeat("the recorder of Events", options.clock);
  const reportingInstance = Deno.hostname();
  const recorder = new EventRecorder({ ...options, heartbeat, reportingInstance, now: () => new Date() });
  return {
    heartbeat,
    tell: (event) => {
      const { ref, uid } = event;
      recorder.record({ ref, ...(uid === undefined ? {} : { uid }), ...wordsFor(event) });
    },
    run: (signal) => recorder.run(signal),
    flush: (signal) => recorder.flush(signal),
  };
}

function wordsFor(event: FileEvent): { type: "Normal" | "Warning"; reason: string; message: string } {
  switch (event.type) {
    case "written":
      return { type: "Normal", reason: "FilesWritten", message: `Wrote ${named(event.paths)}` };
    case "removed":
      return { type: "Normal", reason: "FilesRemoved", message: `Removed ${named(event.paths)}` };
    case "refused":
      return { type: "Warning", reason: "FilesRefused", message: `Refused: ${event.reason}` };
    case "failed":
      return { type: "Warning", reason: "FilesFailed", message: event.reason };
    case "collided":
      return {
        type: "Warning",
        reason: "PathCollision",
        message: `${event.path} is also claimed by ${describeRef(event.winner)}, which has it`,
      };
  }
}

function named(paths: readonly string[]): string {
  const more = paths.length - NAMED_PATHS;
  return paths.slice(0, NAMED_PATHS).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** FINALIZERS. */
export async function openHolds(options: KubernetesSideOptions & { name: string }): Promise<Holds> {
  const { Finalizers } = await import("../kube/finalizers/finalizers.ts");
  const heartbeat = new Heartbeat("the release of finalizers", options.clock);
  const finalizers = new Finalizers({ ...options, heartbeat });
  return {
    heartbeat,
    async admit({ kind }, object, signal) {
      try {
        return await finalizers.add(kind, object, signal) === "deleting" ? "retire" : "apply";
      } catch (error) {
        if (signal.aborted) throw error;
        // The files come first; the next event or list of the object has it held
        const reason = error instanceof Error ? error.message : String(error);
        const { namespace, name } = object.metadata;
        options.log.warn(`${describeRef({ kind, namespace, name })} has no finalizer yet: ${reason}`);
        return "apply";
      }
    },
    release: (ref) => finalizers.release(ref),
    run: (signal) => finalizers.run(signal),
    flush: (signal) => finalizers.flush(signal),
  };
}
