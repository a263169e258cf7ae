/**
 * What `k8s-sidecar explain -o json` prints. docs/commands.md describes it. `version` changes when a field is removed or
 * changes its meaning; fields may be added at any time. No value of an object is in it.
 */
import type { Problem } from "../serve/status.ts";

export interface Explanation {
  version: 1;
  /** The object as `namespace/configmap/name`, or the path; missing in the overview. */
  about?: string;
  /** In one sentence. */
  summary: string;
  /** `false`: neither the sidecar nor the cluster could answer. */
  isAnswered: boolean;
  /** Whether the running sidecar answered; if not, why. */
  sidecar: { isRunning: boolean; reason?: string };
  /** What only the running sidecar could tell, if it did not answer: whether the notification succeeded. */
  unknown?: string;
  collections: CollectionExplanation[];
  /** What somebody has to do something about. */
  problems: Problem[];
  /** Names that may have been meant. */
  suggestions: string[];
}

export interface CollectionExplanation {
  name: string;
  isSelected: boolean;
  /** Why it is not selected. */
  reasons: { what: string; cure: string }[];
  files: FileExplanation[];
}

export interface FileExplanation {
  path: string;
  /** The key that it comes from, where that is known. */
  key?: string;
  /** Whose content is at the path, or would be. */
  object: string;
  state: "in place" | "missing" | "differs" | "to be removed" | "to be downloaded" | "lost" | "broken";
  /** In the overview: one of `problems` is about it. */
  hasProblem?: true;
  /** More about the state. */
  detail?: string;
  cure?: string;
  /** Other objects that claim the path, or one above or below it. */
  others?: string[];
  /** Bytes. */
  size?: number;
  writtenAt?: string;
  /** The notification that followed. */
  notification?: FollowingNotification;
}

export interface FollowingNotification {
  kind: string;
  /** Method and URL without its query, or the path of the script. */
  to: string;
  /** `pending`: of this file or of others. */
  result: "delivered" | "failed" | "pending";
  /** `answered 200 OK`. */
  detail?: string;
  at?: string;
}
