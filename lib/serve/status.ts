/**
 * What `/status` answers, and what the page at `/`, `k8s-sidecar status` and `k8s-sidecar explain` are made from. docs/status.md
 * describes it. `version` changes when a field is removed or changes its meaning; fields may be added at any time.
 *
 * Times are in RFC 3339, sizes in bytes. Nothing here is a value of an object, a credential, or the query of a URL.
 */
export interface Status {
  version: 1;
  /** Identifies the collections and folders of the process: another sidecar of the pod has another one. */
  instance: string;
  /** The program. */
  build: { version: string; revision: string; deno: string };
  /** HOSTNAME, the pod's name. */
  hostname: string;
  now: string;
  startedAt: string;
  method: "WATCH" | "SLEEP";
  /** The API server, or the folder of manifests. */
  origin: string;
  /** Why it is not ready, in one line; `undefined`: it is. */
  notReady?: string;
  /** Why it is not live. */
  notLive?: string;
  /** CONFIG_FILE. */
  configFile?: { path: string; loadedAt: string; fault?: string };
  /** The worst first. */
  problems: Problem[];
  collections: CollectionStatus[];
  sources: SourceStatus[];
  files: FileStatus[];
  /** The last 50, the newest first. */
  notifications: NotificationStatus[];
}

/** Something that somebody has to do something about. */
export interface Problem {
  severity: "error" | "warning";
  collection?: string;
  /** `namespace/configmap/name`. */
  object?: string;
  /** All objects that it affects, if they are several, such as with a full disk: `what` for each of them. */
  objects?: { object: string; what: string }[];
  key?: string;
  path?: string;
  /** What is wrong, in one line: `the webhook has been refused (401)`. */
  what: string;
  /** What to do about it. */
  cure: string;
  /** Since when. */
  since?: string;
}

export interface CollectionStatus {
  name: string;
  /** In words: `configmaps with labels app=web in all namespaces`. */
  selects: string;
  folder: string;
  state: "syncing" | "ready" | "failing";
  /** Since when it is in that state. */
  since: string;
  objects: number;
  files: number;
  bytes: number;
  /** When a file was written or removed last. */
  changedAt?: string;
  notification?: { kind: string; to: string; pending: boolean; pendingSince?: string; nextAt?: string };
}

export interface SourceStatus {
  /** `configmaps in all namespaces`. */
  source: string;
  labelSelector?: string;
  /** Those that it serves. */
  collections: string[];
  state: "listing" | "watching" | "waiting" | "failing";
  contactAt?: string;
  syncedAt?: string;
  /** With METHOD=SLEEP. */
  nextListAt?: string;
  restarts: number;
  relists: number;
  /** Why it fails now, or failed last. */
  error?: string;
}

export interface FileStatus {
  path: string;
  collection: string;
  /** `namespace/configmap/name`. */
  object: string;
  size: number;
  /** The beginning of the SHA-256 of the content, in hexadecimal; `undefined` before the first check. */
  hash?: string;
  /** As in `644`. */
  mode: string;
  writtenAt: string;
  /** Objects that claim the path, too, and have lost it. */
  losers?: string[];
}

export interface NotificationStatus {
  at: string;
  collection: string;
  kind: "script" | "webhook" | "signal";
  /** Method and URL without its query, or the path of the script. */
  to: string;
  result: "delivered" | "failed";
  /** `200`, `refused (401)`. */
  detail: string;
  seconds: number;
  files: number;
}

/** A header of every answer of the port, with {@link Status.instance}. */
export const INSTANCE_HEADER = "x-k8s-sidecar-instance";
