/** Whose a file is, who else wants the path, or who would have it. */
import { lstat } from "../files/file_calls.ts";
import { isInside, joinPath, nameOf, parentOf, RESERVED_PREFIX } from "../files/paths.ts";
import { project } from "../files/projection.ts";
import { qualifiedName, refOf } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { canonical } from "../reconcile/canonical_paths.ts";
import type { Problem } from "../serve/status.ts";
import { folderOf } from "../sidecar/opening/open_files.ts";
import { sourcesOf } from "../sidecar/sources/sources.ts";
import { ChangeReasons } from "./change_reasons.ts";
import type { CollectionExplanation, Explanation, FileExplanation } from "./explanation.ts";
import { fileState } from "./file_states.ts";
import { labelsOfNamespace, listAll, sight } from "./lookup.ts";
import { type Picture, processFailures, withoutLosses } from "./picture.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { shownKey } from "./shown_object.ts";
import { whyNotSelected } from "./why_not_selected.ts";

type Answer = Omit<Explanation, "version" | "sidecar">;

/** Objects that would have the path, at most. */
const MAX_CANDIDATES = 5;

export async function explainPath(asked: string, picture: Picture, signal: AbortSignal): Promise<Answer> {
  const [first] = picture.collections;
  const path = first === undefined ? asked : joinPath(first.publisher.canonical(parentOf(asked)), nameOf(asked));
  const problems = problemsOf(path, picture);
  const answer = (summary: string, rest: Partial<Answer> = {}): Answer => ({
    ...{ about: path, summary, isAnswered: true, collections: [], problems, suggestions: [] },
    ...rest,
  });
  if (path.includes(`/${RESERVED_PREFIX}`)) {
    return answer(`${path} is the sidecar's own: its record, or a temporary file`);
  }
  const collections: CollectionExplanation[] = [];
  for (const collection of picture.collections) {
    const files = await filesAt(path, collection, picture, signal);
    if (files.length > 0) collections.push({ name: collection.place.name, isSelected: true, reasons: [], files });
  }
  const owners = collections.flatMap(({ files }) => files).filter(({ state }) => state !== "lost");
  const [owner] = owners;
  if (owner !== undefined) {
    return answer(ownedSummary(path, owner), { collections, problems: withoutLosses(problems, collections) });
  }
  const bySidecar = picture.status?.files.find((file) => file.path === path);
  if (bySidecar !== undefined) {
    const { object, collection } = bySidecar;
    return answer(`${path} is that of ${object}, as the sidecar says (collection ${collection})`);
  }
  if (lstat(path)?.isDirectory) return answer(`${path} is a directory`);
  const isThere = lstat(path) !== undefined;
  const inFolder = picture.collections.some(({ folders }) => folders.some((folder) => isInside(folder, path)));
  const outside = inFolder ? "" : ", and it is in no folder of the sidecar's";
  const candidates = inFolder ? await candidatesFor(path, picture, signal) : [];
  const wouldBe = candidates.length === 0 ? "" : "; it would be that of an object that is not selected";
  if (inFolder && picture.status === undefined && picture.failures.length > 0) {
    const what = isThere ? "" : "is not there, ";
    const summary = `${path} ${what}is in no record, and the cluster could not be read`;
    return answer(summary, { isAnswered: false });
  }
  const summary = isThere
    ? `${path} is not ours: no object claims it, and it is in no record${outside}${wouldBe}`
    : `${path} is not there, and no object claims it${outside}${wouldBe}`;
  return answer(summary, { collections: [...collections, ...candidates] });
}

/** The object that has the path, those that lost it, and the one whose file is still there. */
async function filesAt(
  path: string,
  collection: PlannedCollection,
  { client, haveNamespacesLabels, status }: Picture,
  signal: AbortSignal,
): Promise<FileExplanation[]> {
  const { claims } = collection.reconciler.inner;
  const body = { path, content: { body: () => [] } };
  const winner = claims.winnerOf(path);
  const files = winner === undefined ? [] : [fileState(collection, body, winner.key, status)];
  for (const { path: lost, loser } of collection.lost()) {
    if (lost === path) files.push(fileState(collection, body, loser.key, status));
  }
  const planned = collection.fileAt(path);
  if (winner === undefined && planned?.action === "remove") {
    const lookup = { client, haveNamespacesLabels };
    const reasons = new ChangeReasons(
      collection,
      (key) => sight(lookup, refOf(key), { ofNamespace: true }, signal),
    );
    const detail = (await reasons.of(path, planned)).join("; ");
    files.unshift({ path, object: shownKey(planned.owner), state: "to be removed", detail, size: planned.size });
  } else if (files.length === 0) {
    const owner = collection.recorded.get(path);
    // Its object was not listed, so nothing is known about it
    if (owner !== undefined && lstat(path) !== undefined) {
      files.push({ path, object: shownKey(owner), state: "in place", detail: "as the record says" });
    }
  }
  return files;
}

function ownedSummary(path: string, { object, state, detail }: FileExplanation): string {
  switch (state) {
    case "in place":
      return `${path} is that of ${object}`;
    case "to be removed":
      return `${path} was that of ${object}, and will be removed: ${detail}`;
    case "differs":
      return `${path} is to be that of ${object}: ${detail}`;
    default:
      return `${path} is not there, and is to be that of ${object}`;
  }
}

function problemsOf(path: string, picture: Picture): Problem[] {
  const about = picture.status?.problems.filter((problem) => problem.path === path) ?? [];
  return [...about, ...processFailures(picture)];
}

/** Objects that are not selected, and would have the path if they were. */
async function candidatesFor(path: string, picture: Picture, signal: AbortSignal): Promise<CollectionExplanation[]> {
  const { client, haveNamespacesLabels } = picture;
  const found: CollectionExplanation[] = [];
  for (const collection of picture.collections) {
    const { name, selection, files } = collection.collection;
    if (!collection.folders.some((folder) => isInside(folder, path))) continue;
    const settings = { ...files, folder: folderOf(collection.collection), allowedFolders: collection.folders.slice(1) };
    for (const target of withoutLabels(sourcesOf(selection, collection.ownNamespace))) {
      try {
        for await (const object of listAll(client, target, signal)) {
          if (found.length >= MAX_CANDIDATES) return found;
          const projection = canonical(project(target.kind, object, settings), collection.publisher);
          const file = projection.files.find((one) => one.path === path);
          if (file === undefined) continue;
          const { namespace, name: objectName, labels } = object.metadata;
          const ref = { kind: target.kind, namespace, name: objectName };
          const isAsked = haveNamespacesLabels && selection.namespaceSelector !== undefined;
          const namespaceLabels = isAsked ? await labelsOfNamespace(client, namespace, signal) : undefined;
          const sighting = { exists: true, labels, namespaceLabels };
          const reasons = whyNotSelected(selection, collection.ownNamespace, ref, sighting);
          if (reasons.length === 0) continue;
          const candidate = { path, key: file.key, object: qualifiedName(ref), state: "missing" as const };
          found.push({ name, isSelected: false, reasons, files: [candidate] });
        }
      } catch {
        // Not allowed there, which is among the failures
      }
    }
  }
  return found;
}

function withoutLabels(sources: readonly Source[]): Source[] {
  const targets = sources.map(({ labelSelector: _, ...source }): Source => source);
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
}
