/** EVENT_LOGGING: posts Events on an object about its files. Loaded only when it is set. */
import type { KubeClient } from "../kube/client/client.ts";
import { EventRecorder } from "../kube/events/event_recorder.ts";
import type { Log } from "../log/log.ts";
import { describeRef } from "../objects/ref.ts";
import { type FileEvent, moreFiles } from "../reconcile/file_event.ts";
import type { Clock } from "../runtime/clock.ts";
import { escaped } from "../runtime/escaped.ts";
import { given } from "../runtime/given.ts";
import type { Heartbeat } from "../runtime/heartbeat.ts";

export interface EventPosterOptions {
  client: KubeClient;
  heartbeat: Heartbeat;
  clock: Clock;
  random: () => number;
  log: Log;
}

export interface EventPoster {
  post(event: FileEvent): void;
  run(signal: AbortSignal): Promise<void>;
  /** Tries once to post the queued Events. */
  flush(signal: AbortSignal): Promise<unknown>;
}

/** Maximum number of paths that an Event names. An object may have thousands. */
const NAMED_PATHS = 5;

export function openEventPoster(options: EventPosterOptions): EventPoster {
  const reportingInstance = Deno.hostname();
  const recorder = new EventRecorder({ ...options, reportingInstance, now: () => new Date() });
  return {
    post: (event) => {
      const { ref, uid } = event;
      const words = wordsFor(event);
      recorder.record({ ref, ...given("uid", uid), ...words, message: escaped(words.message) });
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
      return { type: "Warning", reason: "PathCollision", message: collisionOf(event) };
  }
}

function collisionOf({ path, more, winner, blocker }: FileEvent & { type: "collided" }): string {
  const [isOne, them] = more === 0 ? ["is", "it"] : ["are", "them"];
  return `${path}${moreFiles(more)} ${isOne} ` +
    (blocker === undefined
      ? `also claimed by ${describeRef(winner)}, which has ${them}`
      : `not written: ${describeRef(winner)} has ${blocker}, and a path cannot be a file and a folder`);
}

function named(paths: readonly string[]): string {
  const more = paths.length - NAMED_PATHS;
  return paths.slice(0, NAMED_PATHS).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
