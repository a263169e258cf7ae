/** The oracle: what the cluster says must be on disk, worked out from the API alone and by nothing of lib/. */
import { join, relative } from "node:path";
import { assertFolderEquals, eventually, type PollOptions } from "./oracle.ts";
import type { Kind, Story } from "./story.ts";

interface ApiObject {
  metadata: { name: string; namespace: string; creationTimestamp: string; annotations?: Record<string, string> };
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

const ANNOTATION = "k8s-sidecar-target-directory";

const KINDS: readonly Kind[] = ["ConfigMap", "Secret"];

/** The files that the selected objects want, by path below the folder: of several who want one path the first has it. */
export async function filesInCluster(at: Story, kinds = KINDS): Promise<Record<string, Uint8Array>> {
  const found: { order: string; files: Map<string, Uint8Array> }[] = [];
  for (const kind of kinds) {
    const path = `/api/v1/${kind.toLowerCase()}s?labelSelector=${encodeURIComponent(at.label)}`;
    const { body } = await at.request("GET", path);
    for (const object of body.items as ApiObject[]) {
      const { creationTimestamp, namespace, name } = object.metadata;
      found.push({ order: [creationTimestamp, namespace, name, kind].join("\0"), files: wanted(at, kind, object) });
    }
  }
  found.sort((a, b) => a.order < b.order ? 1 : -1);
  return Object.fromEntries(found.flatMap(({ files }) => [...files]));
}

export interface Expectation extends PollOptions {
  /** Files that are not the sidecar's, by path below the folder: they must be as they were. */
  foreign?: Record<string, string | Uint8Array>;
  /** Default: the story's own. */
  folder?: string;
}

/** Passes once the disk is what the cluster says, byte for byte, with no temporary left and no foreign file touched. */
export async function assertDiskFollows(at: Story, expectation: Expectation = {}): Promise<void> {
  const { foreign = {}, folder = at.folder, ...timing } = { timeout: 30_000, interval: 50, ...expectation };
  await eventually(async () => assertFolderEquals(folder, { ...await filesInCluster(at), ...foreign }), timing);
}

function wanted({ folder }: Story, kind: Kind, { metadata, data, binaryData }: ApiObject): Map<string, Uint8Array> {
  const target = metadata.annotations?.[ANNOTATION] ?? "";
  const directory = target.startsWith("/") ? relative(folder, target) : target;
  const files = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(data ?? {})) {
    files.set(join(directory, key), kind === "Secret" ? Uint8Array.fromBase64(value) : new TextEncoder().encode(value));
  }
  for (const [key, value] of Object.entries(binaryData ?? {})) {
    files.set(join(directory, key), Uint8Array.fromBase64(value));
  }
  return files;
}
