/** Whose a file is, who else wants the path, or who would have it. */
import { lstat } from "../files/file_calls.ts";
import { isInside, joinPath, nameOf, parentOf, RESERVED_PREFIX } from "../files/paths.ts";
import { refOf } from "../objects/ref.ts";
import type { Problem } from "../serve/status.ts";
import { eachAffected } from "./affected_objects.ts";
import { ChangeReasons } from "./change_reasons.ts";
import type { CollectionExplanation, Explanation, FileExplanation } from "./explanation.ts";
import { fileState } from "./file_states.ts";
import { sight } from "./lookup.ts";
import { candidatesFor } from "./path_candidates.ts";
import { type Picture, processFailures, withoutLosses } from "./picture.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { shownKey } from "./shown_object.ts";

type Answer = Omit<Explanation, "version" | "sidecar">;

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
    const known = `is that of ${object}, as the sidecar says (collection ${collection})`;
    return answer(lstat(path) === undefined ? `${path} is not there; it ${known}` : `${path} ${known}`);
  }
  if (lstat(path)?.isDirectory) return answer(`${path} is a directory`);
  const lost = collections.flatMap(({ files }) => files);
  const { candidates, areAllListed } = lost.length > 0
    ? { candidates: [], areAllListed: true }
    : await candidatesFor(path, picture, signal);
  const unread = areAllListed || candidates.length > 0 ? "" : unwatched(path, picture);
  const all = [...collections, ...candidates];
  const isKnown = all.length > 0 || picture.status !== undefined || picture.failures.length === 0 ||
    !picture.collections.some(({ folders }) => folders.some((folder) => isInside(folder, path)));
  return answer(freeSummary(path, picture, all) + unread, {
    ...{ collections: all, problems: withoutLosses(problems, all) },
    isAnswered: isKnown,
  });
}

/** About a path that no object has. */
function freeSummary(path: string, picture: Picture, found: readonly CollectionExplanation[]): string {
  const { collections, failures } = picture;
  const folders = [...new Set(collections.flatMap((collection) => collection.folders))];
  const isThere = lstat(path) !== undefined;
  const isOutside = !folders.some((folder) => isInside(folder, path));
  const [first] = found.flatMap(({ files, isSelected }) => files.map((file) => ({ ...file, isSelected })));
  const state = `${path} is ${isThere ? "not ours" : "not there"}`;
  if (first?.state === "lost") return `${state}: ${first.object} asks for it, and has lost it`;
  if (first?.isSelected && first.state === "broken") return `${state}: ${first.object} would have it, but is refused`;
  if (first?.isSelected) return `${state}: it is to be that of ${first.object}`;
  const outside = isOutside ? `, and it is outside of ${folders.join(", ")}, where the sidecar writes` : "";
  const wouldBe = first === undefined ? "" : "; it would be that of an object that is not selected";
  const claim = failures.length > 0 ? "no object that could be listed claims it" : "no object claims it";
  return isThere
    ? `${state}: ${claim}, and it is in no record${outside}${wouldBe}`
    : `${state}, and ${claim}${outside}${wouldBe}`;
}

/** That other namespaces may have an object for the path, which is not selected. */
function unwatched(path: string, { collections }: Picture): string {
  const watched = collections.filter(({ folders }) => folders.some((folder) => isInside(folder, path)))
    .flatMap(({ collection: { selection: { namespaces } }, ownNamespace }) =>
      namespaces === "OWN" ? [ownNamespace] : namespaces
    );
  if (watched.length === 0 || watched.includes("ALL")) return "";
  const names = [...new Set(watched)];
  const only = `only ${names.length === 1 ? "namespace" : "namespaces"} ${names.join(", ")}`;
  const are = names.length === 1 ? "is" : "are";
  return `; ${only} ${are} watched (NAMESPACE), and objects of others could not be looked up`;
}

/** The object that has the path, those that lost it, and the one whose file is still there. */
async function filesAt(
  path: string,
  collection: PlannedCollection,
  picture: Picture,
  signal: AbortSignal,
): Promise<FileExplanation[]> {
  const { client, haveNamespacesLabels } = picture;
  const { claims } = collection.reconciler.inner;
  const body = { path, content: { body: () => [] } };
  const winner = claims.winnerOf(path);
  const files = winner === undefined ? [] : [fileState(collection, body, winner.key, picture)];
  for (const { path: lost, loser } of collection.lost()) {
    if (lost === path) files.push(fileState(collection, body, loser.key, picture));
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

/** What is known to be wrong with the path, or with the object that has it. */
function problemsOf(path: string, picture: Picture): Problem[] {
  const { collections, status } = picture;
  const owners = new Set(collections.flatMap(({ reconciler }) => {
    const winner = reconciler.inner.claims.winnerOf(path);
    return winner === undefined ? [] : [shownKey(winner.key)];
  }));
  const planned = collections.flatMap(({ collection: { name }, problems }) =>
    problems.map(({ kind: _, ...problem }): Problem => ({ severity: "error", collection: name, ...problem }))
  );
  const about = (status === undefined ? planned : eachAffected(status.problems)).filter((problem) =>
    problem.path === undefined ? owners.has(problem.object ?? "") : problem.path === path
  );
  return [...about, ...processFailures(picture)];
}
