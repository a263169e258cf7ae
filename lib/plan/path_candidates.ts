/** Objects that would have a path: they are not selected, or refused, or their source was not listed. */
import { isInside, joinPath, nameOf, parentOf, resolvePath } from "../files/paths.ts";
import { project, type ProjectionSettings } from "../files/projection.ts";
import { type Kind, KINDS } from "../objects/kind.ts";
import type { KubeObject } from "../objects/object.ts";
import { keyOf, qualifiedName } from "../objects/ref.ts";
import type { Source } from "../objects/source.ts";
import { canonical } from "../reconcile/canonical_paths.ts";
import { given } from "../runtime/given.ts";
import { folderOf } from "../sidecar/opening/open_files.ts";
import { sourcesOf } from "../sidecar/sources/sources.ts";
import { cureOf } from "./cures.ts";
import type { CollectionExplanation, FileExplanation } from "./explanation.ts";
import { fileState } from "./file_states.ts";
import { listAll } from "./lookup.ts";
import { namespaceOf, selectsNamespaces } from "./namespace_labels.ts";
import type { Picture } from "./picture.ts";
import type { PlannedCollection } from "./planned_collection.ts";
import { whyNotSelected } from "./why_not_selected.ts";

/** Objects that are found, at most. */
const MAX_CANDIDATES = 5;

/**
 * The nearest first: refused objects, then those of the selected namespaces and kinds, then any with the labels.
 * `areAllListed`: those of other namespaces could be listed, or did not have to be.
 */
export async function candidatesFor(
  path: string,
  picture: Picture,
  signal: AbortSignal,
): Promise<{ candidates: CollectionExplanation[]; areAllListed: boolean }> {
  let areAllListed = true;
  const onFailure = () => void (areAllListed = false);
  const inFolder = picture.collections.filter(({ folders }) => folders.some((folder) => isInside(folder, path)));
  const outside = picture.collections.filter((collection) => !inFolder.includes(collection));
  const near = [
    ...await candidatesIn(path, inFolder, selectedKinds, picture, signal),
    ...await candidatesIn(path, outside, selected, picture, signal),
  ];
  const refused = near.filter(({ isSelected }) => isSelected);
  if (near.length > 0) return { candidates: refused.length > 0 ? refused : near, areAllListed };
  const own = await picture.client.namespace();
  const far = (collection: PlannedCollection) => everywhere(collection, own);
  return { candidates: await candidatesIn(path, inFolder, far, picture, signal, onFailure), areAllListed };
}

async function candidatesIn(
  path: string,
  collections: readonly PlannedCollection[],
  sourcesIn: (collection: PlannedCollection) => Source[],
  picture: Picture,
  signal: AbortSignal,
  onFailure = () => {},
): Promise<CollectionExplanation[]> {
  const found = new Map<string, CollectionExplanation>();
  for (const collection of collections) {
    for (const { kind, ...target } of sourcesIn(collection)) {
      try {
        for await (const object of listAll(picture.client, { kind, ...target }, signal)) {
          if (found.size >= MAX_CANDIDATES) return [...found.values()];
          const candidate = await candidateOf(path, kind, object, collection, picture, signal);
          if (candidate !== undefined) found.set(`${candidate.name} ${candidate.files[0]!.object}`, candidate);
        }
      } catch {
        // Not allowed there, which is among the failures if the settings select it
        onFailure();
      }
    }
  }
  return [...found.values()];
}

async function candidateOf(
  path: string,
  kind: Kind,
  object: KubeObject,
  collection: PlannedCollection,
  picture: Picture,
  signal: AbortSignal,
): Promise<CollectionExplanation | undefined> {
  const { collection: { name, selection, files }, ownNamespace } = collection;
  const folder = folderOf(collection.collection);
  const settings = { ...files, folder, allowedFolders: collection.folders.slice(1) };
  const projection = canonical(project(kind, object, settings), collection.publisher);
  const file = projection.files.find((one) => one.path === path);
  const isRefused = projection.isRefused && wishes(path, kind, object, settings, collection);
  if (file === undefined && !isRefused) return undefined;
  const { namespace, name: objectName, labels, annotations } = object.metadata;
  const ref = { kind, namespace, name: objectName };
  const { labels: namespaceLabels, failure } = await namespaceOf(namespace, picture, signal);
  const reasons: CollectionExplanation["reasons"] = [
    ...whyNotSelected(selection, ownNamespace, ref, { exists: true, labels, annotations, namespaceLabels }),
    ...failure !== undefined && selectsNamespaces(collection) ? [failure] : [],
  ];
  const about = { path, object: qualifiedName(ref) };
  if (reasons.length > 0) {
    const key = file === undefined ? {} : { key: file.key };
    return { name, isSelected: false, reasons, files: [{ ...about, ...key, state: "missing" }] };
  }
  const selected = (file: FileExplanation) => ({ name, isSelected: true, reasons: [], files: [file] });
  if (file !== undefined) return selected(fileState(collection, file, keyOf(ref), picture));
  const [detail = ""] = projection.refusals;
  return selected({ ...about, state: "broken", detail: `refused: ${detail}`, cure: cureOf(detail) });
}

/** Whether a refused object would have the path without its annotation, or asks for it with that. */
function wishes(
  path: string,
  kind: Kind,
  object: KubeObject,
  settings: ProjectionSettings,
  { publisher }: PlannedCollection,
): boolean {
  const annotation: unknown = object.metadata.annotations?.[settings.folderAnnotation] ?? "";
  const plain = { ...object, metadata: { ...object.metadata, annotations: {} } };
  return project(kind, plain, { ...settings, maxFilesPerObject: Infinity }).files.some((file) => {
    const folder = parentOf(file.path);
    const folders = [folder, ...typeof annotation === "string" ? [resolvePath(folder, annotation)] : []];
    return folders.some((one) => joinPath(publisher.canonical(one), nameOf(file.path)) === path);
  });
}

/** What the settings select. */
function selected({ collection, ownNamespace }: PlannedCollection): Source[] {
  return sourcesOf(collection.selection, ownNamespace);
}

/** The same without labels. */
function selectedKinds(collection: PlannedCollection): Source[] {
  const targets = selected(collection).map(({ labelSelector: _, ...source }): Source => source);
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
}

/** Objects with the labels or the names in any namespace, and of either kind. */
function everywhere({ collection: { selection } }: PlannedCollection, ownNamespace: string): Source[] {
  const { labelSelector, names } = selection;
  const wanted = names.length === 0 ? [given("labelSelector", labelSelector)] : names.map(({ name }) => ({ name }));
  return KINDS.flatMap((kind) => [{ kind }, { kind, namespace: ownNamespace }]).flatMap((target) =>
    wanted.map((one): Source => ({ ...target, ...one }))
  );
}
