/** Whether an object becomes files, and if not, why. */
import { project } from "../files/projection.ts";
import { folderOf } from "../sidecar/opening/open_files.ts";
import type { KubeObject } from "../objects/object.ts";
import { KINDS, pluralOf } from "../objects/kind.ts";
import { keyOf, type ObjectRef, qualifiedName } from "../objects/ref.ts";
import { canonical } from "../reconcile/canonical_paths.ts";
import type { Problem } from "../serve/status.ts";
import { eachAffected } from "./affected_objects.ts";
import { filesOf } from "./explain_by_status.ts";
import type { CollectionExplanation, Explanation } from "./explanation.ts";
import { fileState, isListed } from "./file_states.ts";
import { find, listAll } from "./lookup.ts";
import { lacksLabel } from "./label_hint.ts";
import { namespaceOf, type OfNamespace, selectsNamespaces } from "./namespace_labels.ts";
import { nearNames } from "./near_names.ts";
import { type Picture, processFailures, withoutLosses } from "./picture.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { lookupFailure } from "./read_failures.ts";
import { reasonsBySettings, whyNotSelected } from "./why_not_selected.ts";

type Answer = Omit<Explanation, "version" | "sidecar">;

export async function explainObject(ref: ObjectRef, picture: Picture, signal: AbortSignal): Promise<Answer> {
  const about = qualifiedName(ref);
  const problems = problemsOf(about, picture);
  let object: KubeObject | undefined;
  try {
    object = await find(picture.client, ref, signal);
  } catch (error) {
    const excluding = bySettings(ref, picture);
    if (excluding !== undefined) {
      const summary = `${about} is not selected`;
      return { about, summary, isAnswered: true, collections: excluding, problems: [], suggestions: [] };
    }
    if (processFailures(picture).length === 0) {
      problems.push(lookupFailure(error, `list ${pluralOf(ref.kind)} in namespace ${ref.namespace}`));
    }
    const { status } = picture;
    const known = status?.files.filter(({ object }) => object === about) ?? [];
    const isKnown = known.length > 0;
    const summary = isKnown ? `${about} has files, see below` : `${about} cannot be looked up`;
    const collections = status === undefined ? [] : filesOf(known, status);
    return { about, summary, isAnswered: isKnown, collections, problems, suggestions: [] };
  }
  const ofNamespace = await namespaceOf(ref.namespace, picture, signal);
  const collections = picture.collections
    .map((collection) => inCollection(ref, object, ofNamespace, collection, picture))
    .sort((a, b) => farness(a) - farness(b));
  if (object !== undefined) problems.push(...withoutKeys(about, object, collections));
  const suggestions = object === undefined ? await suggest(ref, picture, signal) : [];
  const isUnlisted = picture.collections.some((collection) =>
    !isListed(collection, keyOf(ref)) &&
    collections.some(({ name, isSelected }) => isSelected && name === collection.collection.name)
  );
  const summary = isUnlisted
    ? `${about} matches the settings, but cannot be listed: see the errors`
    : summaryOf(about, object, collections, problems);
  return {
    ...{ about, summary, isAnswered: true, collections, suggestions },
    // The reason why it is not selected says it, too
    problems: withoutLosses(problems, collections).filter(({ what }) =>
      ofNamespace.failure === undefined || !what.includes("namespaces with labels")
    ),
  };
}

/** If the settings exclude the object, whatever it is like: it needs no right to be looked up. */
function bySettings(ref: ObjectRef, { collections }: Picture): CollectionExplanation[] | undefined {
  const excluding = collections.map(({ collection: { name, selection }, ownNamespace }): CollectionExplanation => {
    return { name, isSelected: false, reasons: reasonsBySettings(selection, ownNamespace, ref), files: [] };
  });
  if (excluding.some(({ reasons }) => reasons.length === 0)) return undefined;
  return excluding.sort((a, b) => farness(a) - farness(b));
}

function inCollection(
  ref: ObjectRef,
  object: KubeObject | undefined,
  { labels: namespaceLabels, failure }: OfNamespace,
  collection: PlannedCollection,
  picture: Picture,
): CollectionExplanation {
  const { name, selection, files } = collection.collection;
  const sighting = {
    exists: object !== undefined,
    labels: object?.metadata.labels,
    annotations: object?.metadata.annotations,
    namespaceLabels,
  };
  const reasons: CollectionExplanation["reasons"] = whyNotSelected(selection, collection.ownNamespace, ref, sighting);
  if (failure !== undefined && selectsNamespaces(collection)) reasons.push(failure);
  if (object === undefined || reasons.length > 0) return { name, isSelected: false, reasons, files: [] };
  const folder = folderOf(collection.collection);
  const settings = { ...files, folder, allowedFolders: collection.folders.slice(1) };
  const projection = canonical(project(ref.kind, object, settings), collection.publisher);
  const states = projection.files.map((file) => fileState(collection, file, keyOf(ref), picture));
  return { name, isSelected: true, reasons: [], files: states };
}

/** Collections that select the object come first, then those that it lacks least for. */
function farness({ isSelected, reasons }: CollectionExplanation): number {
  if (isSelected) return 0;
  return 1 + reasons.length + reasons.filter(({ what }) => lacksLabel(what)).length;
}

function withoutKeys(about: string, { data, binaryData }: KubeObject, collections: CollectionExplanation[]): Problem[] {
  const isEmpty = Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length === 0;
  if (!isEmpty || !collections.some(({ isSelected }) => isSelected)) return [];
  const cure = "Add a key to its data: the key is the name of the file, and the value its content";
  return [{ severity: "warning", object: about, what: "its data is empty", cure }];
}

/** What is known to be wrong with an object. */
function problemsOf(about: string, { collections, failures, status }: Picture): Problem[] {
  const ofSidecar = eachAffected(status?.problems ?? []).filter(({ object }) => object === about);
  const planned = collections.flatMap(({ collection: { name }, problems }) =>
    problems.filter(({ object }) => object === about).map(({ what, cure }): Problem => ({
      ...{ severity: "error", collection: name, object: about, what, cure },
    }))
  );
  // The sidecar's own words are the better ones: it knows since when
  return [...ofSidecar.length > 0 ? ofSidecar : planned, ...processFailures({ failures, status })];
}

/** Objects with a similar name in the namespace, or with the same name elsewhere. */
async function suggest(ref: ObjectRef, { client }: Picture, signal: AbortSignal): Promise<string[]> {
  const { kind, namespace, name } = ref;
  const suggestions: string[] = [];
  for (const other of [kind, ...KINDS.filter((one) => one !== kind)]) {
    try {
      const names: string[] = [];
      for await (const { metadata } of listAll(client, { kind: other, namespace }, signal)) names.push(metadata.name);
      if (other !== kind && names.includes(name)) suggestions.push(qualifiedName({ ...ref, kind: other }));
      suggestions.push(...nearNames(name, names).map((near) => qualifiedName({ ...ref, kind: other, name: near })));
    } catch {
      // Not allowed there
    }
  }
  try {
    for await (const { metadata } of listAll(client, { kind, name }, signal)) {
      suggestions.push(qualifiedName({ ...ref, namespace: metadata.namespace }));
    }
  } catch {
    // Not allowed to list all namespaces
  }
  return suggestions.slice(0, 5);
}

function summaryOf(
  about: string,
  object: KubeObject | undefined,
  collections: readonly CollectionExplanation[],
  problems: readonly Problem[],
): string {
  if (object === undefined) return `${about} does not exist`;
  if (object.metadata.deletionTimestamp !== undefined) return `${about} is being deleted`;
  const selected = collections.filter(({ isSelected }) => isSelected);
  if (selected.length === 0) return `${about} is not selected`;
  const files = selected.flatMap(({ files }) => files);
  const inPlace = files.filter(({ state }) => state === "in place").length;
  const isRefused = problems.some(({ object, severity }) => object === about && severity === "error");
  if (files.length === 0) {
    return `${about} is selected, but ${isRefused ? "refused" : "has no keys that become files"}`;
  }
  const lacking = files.length - inPlace;
  if (files.length === 1) {
    return `${about} is selected, ${lacking === 0 ? "and" : "but"} its file is ${lacking === 0 ? "" : "not "}in place`;
  }
  const which = lacking === 0
    ? "and all of its files are in place"
    : lacking === files.length
    ? `but none of its ${files.length} files is in place`
    : `but ${lacking} of its ${files.length} files ${lacking === 1 ? "is" : "are"} not in place`;
  return `${about} is selected, ${which}`;
}
