/** Builds what `/status` answers. It is loaded when it is asked for the first time. */
import type { Config } from "../../config/config.ts";
import type { HealthState } from "../../serve/health.ts";
import type { Build } from "../../serve/metrics.ts";
import type { NotificationStatus, Problem, Status } from "../../serve/status.ts";
import type { Clock } from "../../runtime/clock.ts";
import { given } from "../../runtime/given.ts";
import type { CollectionInner } from "../collections/collection.ts";
import type { Reload } from "../collections/reload.ts";
import type { NotificationHistory } from "../collections/told.ts";
import { collectionReport } from "./collection_status.ts";
import { filesOf } from "./file_status.ts";
import { servedSources, sourceProblems, sourcesOf } from "./source_status.ts";
import { Calendar, withoutQueries } from "./words.ts";

/** What a status is made from: only to be read. */
export interface StatusParts {
  config: Pick<Config, "method" | "warnings" | "configFile"> & { watch: Pick<Config["watch"], "sleepTime"> };
  build: Build;
  instance: string;
  hostname: string;
  /** The API server, or the folder of manifests. */
  origin: string;
  /** By the clock, in ms. */
  startedAt: number;
  health: HealthState;
  collections: readonly CollectionInner[];
  reload: Pick<Reload, "path" | "loadedAt" | "fault" | "warnings"> | undefined;
  history: Pick<NotificationHistory, "newestFirst">;
  clock: Pick<Clock, "now">;
  /** In ms since 1970. */
  wallClock: () => number;
}

export function collectStatus(parts: StatusParts): Status {
  const { config, build, instance, hostname, origin, startedAt, health, collections, reload, history } = parts;
  const calendar = new Calendar(parts.clock, parts.wallClock);
  const served = servedSources(collections);
  const reports = collections.map((inner) => {
    const failures = served.filter((source) => source.collections.includes(inner.collection.name))
      .flatMap(({ follower }) => follower.state.failure?.since ?? []);
    return collectionReport(inner, failures.length === 0 ? undefined : Math.min(...failures), calendar);
  });
  const notLive = health.stuck();
  const problems = [
    ...processProblems(parts, notLive),
    ...sourceProblems(served, calendar),
    ...reports.flatMap((report) => report.problems),
  ];
  return {
    version: 1,
    instance,
    build: { version: build.version, revision: build.revision, deno: Deno.version.deno },
    hostname,
    now: calendar.at(parts.clock.now()),
    startedAt: calendar.at(startedAt),
    method: config.method === "SLEEP" ? "SLEEP" : "WATCH",
    origin: withoutQueries(origin),
    ...given("notReady", health.notReady()),
    ...given("notLive", notLive),
    ...given(
      "configFile",
      reload && {
        path: reload.path,
        loadedAt: calendar.at(reload.loadedAt),
        ...given("fault", reload.fault),
      },
    ),
    problems: worstFirst(problems),
    collections: reports.map(({ status }) => status),
    sources: sourcesOf(served, config.method === "SLEEP" ? config.watch.sleepTime : undefined, calendar),
    files: collections.flatMap(filesOf),
    notifications: history.newestFirst.map((notification): NotificationStatus => {
      const { at, collection, kind, to, outcome, text, seconds, files } = notification;
      const result = outcome === "delivered" ? "delivered" : "failed";
      return { at: calendar.at(at), collection, kind, to, result, detail: withoutQueries(text), seconds, files };
    }),
  };
}

function processProblems({ config, reload }: StatusParts, notLive: string | undefined): Problem[] {
  const problems: Problem[] = [];
  if (notLive !== undefined) {
    const cure = notLive.includes("K8S_CONTACT_THRESHOLD_SECONDS")
      ? "Check that the API server runs and that the sidecar can reach it; a restart of the container rarely helps"
      : "Restart the container, as its liveness probe does, and report this as a bug";
    problems.push({ severity: "error", what: notLive, cure });
  }
  if (reload?.fault !== undefined) {
    problems.push({
      severity: "error",
      path: reload.path,
      what: `the new version of CONFIG_FILE is not used: ${reload.fault}`,
      cure: "Correct the file: `k8s-sidecar check` reports every fault. Everything goes on as it was until then",
    });
  }
  for (const what of warningsOf(config, reload)) {
    problems.push({
      severity: "warning",
      what,
      cure: "Correct the settings of the container, and start it again: `k8s-sidecar check` reports every warning",
    });
  }
  return problems;
}

/** Those of the start, but for CONFIG_FILE those of the version in use. */
function warningsOf({ warnings, configFile }: StatusParts["config"], reload: StatusParts["reload"]): readonly string[] {
  if (reload?.warnings === undefined) return warnings;
  return [...warnings.filter((warning) => !warning.startsWith(`${configFile}:`)), ...reload.warnings];
}

/** Errors before warnings, otherwise in their order. */
function worstFirst(problems: readonly Problem[]): Problem[] {
  return [
    ...problems.filter(({ severity }) => severity === "error"),
    ...problems.filter(({ severity }) => severity !== "error"),
  ];
}
