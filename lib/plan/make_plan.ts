/** Plans all collections of a configuration together. */
import type { Config } from "../config/config.ts";
import type { ConfigFile } from "../files/config_files.ts";
import { DryPublisher } from "../files/dry_publisher.ts";
import { PlannedDisk } from "../files/planned_disk.ts";
import type { RecordedCollection } from "../files/record_format.ts";
import type { Credentials } from "../kube/client/credentials.ts";
import type { ObjectApi } from "../kube/client/object_api.ts";
import { SILENT } from "../log/log.ts";
import { refOf } from "../objects/ref.ts";
import type { Clock } from "../runtime/clock.ts";
import { given } from "../runtime/given.ts";
import { SharedClaims } from "../reconcile/shared_claims.ts";
import { placeOf } from "../sidecar/collections/collection_id.ts";
import { describeSelection } from "../sidecar/collections/describe_selection.ts";
import { leftoverJournal } from "../sidecar/collections/leftover_disk.ts";
import { differenceTo, Leftovers } from "../sidecar/collections/leftovers.ts";
import { Liveness } from "../sidecar/liveness.ts";
import { filesNamedBy } from "../sidecar/opening/open_files.ts";
import { hostPolicyOf } from "../sidecar/opening/open_transports.ts";
import { SharedSources } from "../sidecar/sources/shared_sources.ts";
import { ChangeReasons } from "./change_reasons.ts";
import { cureOfCollision } from "./cures.ts";
import { earlierRecords } from "./earlier_records.ts";
import { folderProblems } from "./folder_problems.ts";
import { sight } from "./lookup.ts";
import type { CollectionPlan, Plan, PlannedChange, PlanProblem, PlanSummary } from "./plan.ts";
import { PlannedCollection } from "./planned_collection.ts";
import { shownKey } from "./shown_object.ts";

export interface PlanOptions {
  config: Config;
  env: Record<string, string | undefined>;
  client: ObjectApi;
  /** `undefined` with `--manifests`. */
  credentials: Pick<Credentials, "load"> | undefined;
  /** Files that no object may write to, besides those that collections name. */
  configFiles: readonly ConfigFile[];
  clock: Clock;
  random: () => number;
}

/** Collections that the records of others name, and the configuration does not have. */
interface GoneCollection {
  place: RecordedCollection;
  publisher: DryPublisher;
  why: string;
}

/**
 * What a start would do now. Asks the API server for lists only, and writes nothing.
 *
 * @throws {PublishError} a folder cannot be used
 * @throws {CredentialsError}
 */
export async function makePlan(options: PlanOptions, signal: AbortSignal): Promise<Plan> {
  const warnings: string[] = [];
  const disk = new PlannedDisk();
  const planned = await openCollections(options, disk, (warning) => void warnings.push(warning));
  const failures = await listAll(planned, signal);
  const gone = await planLeftovers(options, planned, disk, signal);
  warnings.push(...await earlierRecords(planned, options.clock));
  for (const { what, cure } of planned.flatMap((collection) => collection.missingObjects())) {
    warnings.push(`${what}. ${cure}`);
  }
  const collections: CollectionPlan[] = [];
  const removed = new Set<string>();
  for (const collection of planned) collections.push(await describe(collection, options, removed, signal));
  collections.push(...gone.map((collection) => describeGone(collection, disk)));
  return { version: 1, collections, summary: summaryOf(collections), failures, warnings };
}

/** Lists everything, and plans. Returns the reasons why something could not be listed or read. */
export async function listAll(planned: readonly PlannedCollection[], signal: AbortSignal): Promise<string[]> {
  const failures = (await Promise.all(planned.map((collection) => collection.list(signal)))).flat();
  // One may have left a path to another that had ended by then
  for (const { reconciler } of planned) await reconciler.settle(signal);
  return [...new Set(failures)];
}

/** Opens the collections, with nothing listed yet. */
export async function openCollections(
  options: PlanOptions,
  disk: PlannedDisk,
  warn: (message: string) => void,
): Promise<PlannedCollection[]> {
  const { config, env, client, credentials, clock } = options;
  const log = SILENT;
  const sources = new SharedSources({
    ...{ ...options, mode: "once", watch: config.watch, liveness: new Liveness(clock), log },
    onRestart() {},
  });
  const claims = config.configFile === undefined ? undefined : new SharedClaims();
  const configFiles = [...options.configFiles, ...config.collections.flatMap(filesNamedBy)];
  const planned: PlannedCollection[] = [];
  for (const collection of config.collections) {
    const { urlAllowedHosts } = collection.requests;
    const hosts = await hostPolicyOf({
      env,
      ...given("credentials", credentials),
      ...given("urlAllowedHosts", urlAllowedHosts),
    });
    planned.push(
      await PlannedCollection.open({
        ...{ ...options, collection, client, configFiles, hosts, sources, claims, disk, log },
        place: await placeOf(collection),
        haveNamespacesLabels: credentials !== undefined,
        recordLog: { warn },
      }),
    );
  }
  return planned;
}

/** Plans the removal of files of collections that are gone. */
async function planLeftovers(
  { clock, random }: PlanOptions,
  planned: readonly PlannedCollection[],
  disk: PlannedDisk,
  signal: AbortSignal,
): Promise<GoneCollection[]> {
  const gone: GoneCollection[] = [];
  const leftovers = new Leftovers({
    ...{ clock, random, log: SILENT, neighbours: () => planned, onChange() {} },
    disk: {
      async open(place, neighbours) {
        const { folder } = place;
        const journal = await leftoverJournal(place, { neighbours, clock, isDryRun: true, log: SILENT });
        if (journal === undefined) return undefined;
        const allowedFolders = neighbours.flatMap(({ folders }) => folders).filter((other) => other !== folder);
        const publisher = new DryPublisher({ folder, allowedFolders, mode: 0o644, journal, configFiles: [], disk });
        const namesake = planned.find(({ collection: { name } }) => name === place.name);
        const why = namesake && `collection has another ${differenceTo(place, namesake.place)} now`;
        gone.push({ place, publisher, why: why ?? "collection removed" });
        return { journal, publisher };
      },
      removeRecord() {},
    },
  });
  for (const place of planned.flatMap(({ recordedCollections }) => recordedCollections)) leftovers.add(place);
  await leftovers.attempt(signal);
  return gone;
}

/** @param removed paths whose removal is already in the plan */
async function describe(
  collection: PlannedCollection,
  { client, credentials }: PlanOptions,
  removed: Set<string>,
  signal: AbortSignal,
): Promise<CollectionPlan> {
  const { selection } = collection.collection;
  const ofNamespace = selection.namespaceSelector !== undefined;
  const lookup = { client, haveNamespacesLabels: credentials !== undefined };
  const reasons = new ChangeReasons(collection, (key) => sight(lookup, refOf(key), { ofNamespace }, signal));
  const changes: PlannedChange[] = [];
  let unchanged = 0;
  for (const [path, file] of collection.files()) {
    const { action, owner, size } = file;
    if (action === "same") {
      unchanged++;
      continue;
    }
    // Two collections may have it on the way, and both remove it
    if (action === "remove") {
      if (removed.has(path)) continue;
      removed.add(path);
    }
    const object = shownKey(owner);
    if (action === "unknown") {
      const host = collection.downloads.hosts.get(path) ?? "";
      changes.push({ action: "download", path, object, reasons: [`would be downloaded from ${host}`] });
    } else changes.push({ action, path, object, size, reasons: await reasons.of(path, file) });
  }
  const { name, folder } = collection.place;
  const problems = [
    ...(changes.length === 0 ? [] : folderProblems(folder)),
    ...collection.problems,
    ...lostPaths(collection),
  ];
  return {
    ...{ name, selects: describeSelection(selection), folder, changes: sorted(changes), unchanged, problems },
    ...given("isIncomplete", collection.isReady ? undefined : true as const),
  };
}

function describeGone({ place: { name, folder }, publisher, why }: GoneCollection, disk: PlannedDisk): CollectionPlan {
  const changes: PlannedChange[] = [];
  for (const [path, { action, owner, size }] of publisher.files) {
    // Another collection may want the path
    if (action !== "remove" || disk.planned(path) === "file") continue;
    changes.push({ action, path, object: shownKey(owner), size, reasons: [why] });
  }
  return { name, selects: `nothing: ${why}`, folder, changes: sorted(changes), unchanged: 0, problems: [] };
}

function lostPaths(collection: PlannedCollection): PlanProblem[] {
  return collection.lost().map(({ path, winner, loser, blocker }) => ({
    kind: "lost",
    object: shownKey(loser.key),
    path,
    what: blocker === undefined
      ? `${path} is that of ${shownKey(winner.key)}, which claims it, too`
      : `${path} cannot be made: ${shownKey(winner.key)} has ${blocker}`,
    cure: cureOfCollision(blocker !== undefined),
  }));
}

function sorted(changes: PlannedChange[]): PlannedChange[] {
  return changes.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

function summaryOf(collections: readonly CollectionPlan[]): PlanSummary {
  const summary: PlanSummary = { create: 0, change: 0, remove: 0, download: 0 };
  for (const { changes } of collections) for (const { action } of changes) summary[action]++;
  return summary;
}
