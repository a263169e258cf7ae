/**
 * What `k8s-sidecar plan -o json` prints. docs/commands.md describes it. `version` changes when a field is removed or changes
 * its meaning; fields may be added at any time. No value of an object is in it, and no credential or query of a URL.
 */
export interface Plan {
  version: 1;
  collections: CollectionPlan[];
  summary: PlanSummary;
  /** Why objects could not be listed. What is missing in the plan for that reason is not removed, either. */
  failures: string[];
  warnings: string[];
}

export interface PlanSummary {
  create: number;
  change: number;
  remove: number;
  download: number;
}

export interface CollectionPlan {
  name: string;
  /** In words: `configmaps with labels app=web in all namespaces`. */
  selects: string;
  folder: string;
  /** By path. */
  changes: PlannedChange[];
  /** Files that stay as they are. */
  unchanged: number;
  problems: PlanProblem[];
  /** Not all of its objects could be listed, so there may be more changes. */
  isIncomplete?: true;
}

export interface PlannedChange {
  /** `download`: only the host knows whether anything changes. */
  action: "create" | "change" | "remove" | "download";
  path: string;
  /** `namespace/configmap/name`. */
  object: string;
  /** Bytes that the file will have; of one that is removed, those that it has. */
  size?: number;
  reasons: string[];
}

/** Something that will not become a file. */
export interface PlanProblem {
  /** `lost`: another object has the path. `failed`: the disk would not take it. */
  kind: "refused" | "lost" | "failed";
  object?: string;
  path?: string;
  what: string;
  cure: string;
}
