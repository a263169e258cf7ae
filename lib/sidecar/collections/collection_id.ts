/** Identifies a collection on the disk: its directory is `FOLDER/..k8s-sidecar-<id>`. */
import { type Collection, ENVIRONMENT_COLLECTION, type Selection } from "../../config/collection_settings.ts";
import type { RecordedCollection } from "../../files/record_format.ts";
import { realPathOf } from "../../files/file_calls.ts";
import { resolvePath } from "../../files/paths.ts";
import { given } from "../../runtime/given.ts";
import { folderOf } from "../opening/open_files.ts";

/** Where a collection has its files and its record: by the folder's real path, so that it is not left by another name. */
export async function placeOf(collection: Collection): Promise<RecordedCollection> {
  const { name, onRemove, files, selection } = collection;
  const id = name === ENVIRONMENT_COLLECTION ? await selectionId(selection) : await hashOf(name);
  const folder = realPathOf(folderOf(collection));
  return { name, folder, id, ...given("stateFile", files.stateFile), onRemove };
}

/**
 * Identifies a process by its collections, so that a command sees when a port is another sidecar's. With CONFIG_FILE, the first
 * part is about the environment alone, and stays when the file changes.
 *
 * @param configFile its path
 */
export async function instanceOf(collections: readonly Collection[], configFile?: string): Promise<string> {
  const inOrder = collections.toSorted((a, b) => a.name < b.name ? -1 : 1);
  const parts = await Promise.all(
    inOrder.map(async (collection) => [
      collection.name,
      await selectionId(collection.selection),
      folderOf(collection),
    ]),
  );
  if (configFile === undefined) return await hashOf(JSON.stringify(parts));
  const ofEnvironment = parts.filter(([name]) => name === ENVIRONMENT_COLLECTION);
  const path = resolvePath(Deno.cwd(), configFile);
  return `${await hashOf(JSON.stringify([path, ...ofEnvironment]))}-${await hashOf(JSON.stringify(parts))}`;
}

/** Identifies a selection, so that sidecars with different selections can share a folder. */
export function selectionId(selection: Selection): Promise<string> {
  const { labelSelector, names, kinds, namespaces, namespaceSelector, namespaceExclude } = selection;
  // The order in which they are set does not matter
  const objects = names.map((name) => JSON.stringify(name)).sort();
  const spaces = typeof namespaces === "string" ? namespaces : namespaces.toSorted();
  const parts: unknown[] = [labelSelector ?? null, objects, kinds, spaces];
  // Only where they are set, so that the records of earlier versions are found
  if (namespaceSelector !== undefined || namespaceExclude.length > 0) {
    parts.push(namespaceSelector ?? null, namespaceExclude.toSorted());
  }
  return hashOf(JSON.stringify(parts));
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).slice(0, 5).toHex();
}
