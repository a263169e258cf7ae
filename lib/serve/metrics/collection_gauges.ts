/** The gauges of collections: what is now. They are read whenever the metrics are rendered. */
import { KINDS, pluralOf } from "../../objects/kind.ts";
import type { WatchTarget } from "../../objects/source.ts";
import type { Census } from "../../reconcile/census.ts";
import { REFUSAL_REASONS } from "../../reconcile/refusals.ts";
import type { MetricsRegistry } from "../../runtime/metrics_registry.ts";
import type { CollectionMetrics, Measured, SourceState } from "./collection_metrics.ts";

interface State {
  measured: Measured;
  census: Census;
}

type Row<L extends string> = readonly [Record<L, string>, number];

/** @param collections those that run now, with their census */
export function registerCollectionGauges(
  registry: MetricsRegistry,
  collections: () => Iterable<CollectionMetrics>,
  toTimestamp: (at: number | undefined) => number,
): void {
  const gauge = <L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    rows: (state: State, collection: string) => Iterable<Row<L>>,
  ) =>
    registry.read("gauge", `k8s_sidecar_${name}`, help, labels, function* () {
      for (const { name, measured, census } of collections()) {
        if (measured !== undefined && census !== undefined) yield* rows({ measured, census }, name);
      }
    });
  const one = (name: string, help: string, value: (state: State) => number) =>
    gauge(name, help, ["collection"], (state, collection) => [[{ collection }, value(state)]]);
  gauge(
    "objects",
    "Selected objects.",
    ["collection", "kind"],
    ({ census }, collection) => KINDS.map((kind) => [{ collection, kind }, census.objects.get(kind) ?? 0]),
  );
  one("files", "Files on disk.", ({ census }) => census.files);
  one("file_bytes", "Size of the files on disk.", ({ census }) => census.bytes);
  gauge(
    "refused_objects",
    "Objects that are missing on disk, in whole or in part, by their own fault: the annotation for their folder, " +
      "too_many_keys, a key, a path, or the content of an archive or a download.",
    ["collection", "reason"],
    ({ census }, collection) =>
      REFUSAL_REASONS.map((reason) => [{ collection, reason }, census.refused.get(reason) ?? 0]),
  );
  one("collisions", "Paths that several objects claim.", ({ census }) => census.collisions);
  gauge(
    "synced",
    "1 once the source was listed in full.",
    ["collection", "source"],
    ({ measured }, collection) =>
      oldest(measured.sources, ({ syncedAt }) => syncedAt).map(([source, at]) => [
        { collection, source },
        Number(at !== undefined),
      ]),
  );
  one(
    "notification_pending",
    "1 while the application has not been notified of changes.",
    ({ measured }) => Number(measured.isNotificationPending),
  );
  one(
    "notification_pending_since_timestamp_seconds",
    "Since when, in seconds since 1970; 0 while there are none.",
    ({ measured }) => toTimestamp(measured.notificationPendingSince),
  );
}

/** The oldest time of each source. Sources that differ only in a label selector or in the name of an object are one. */
export function oldest(
  sources: readonly SourceState[],
  time: (state: SourceState) => number | undefined,
): [source: string, at: number | undefined][] {
  const times = new Map<string, number | undefined>();
  for (const state of sources) {
    const label = labelOf(state.source);
    const at = time(state);
    const known = times.get(label);
    const isOlder = !times.has(label) || (known !== undefined && (at === undefined || at < known));
    if (isOlder) times.set(label, at);
  }
  return [...times];
}

/** `configmaps`, `secrets/monitoring`. The name of an object is never part of it. */
function labelOf({ kind, namespace }: WatchTarget): string {
  return namespace === undefined ? pluralOf(kind) : `${pluralOf(kind)}/${namespace}`;
}
