import type { ObjectRef } from "../objects/ref.ts";

/** An object that claims paths. */
export interface Claimant extends Readonly<ObjectRef> {
  /** Identifies the object. */
  readonly key: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The paths that it claims. */
  readonly paths: readonly string[];
}

/** COLLISIONS: which of several objects wins a path, by creation. */
export type Precedence = "oldest" | "newest";

/** Negative: `a` comes first. */
export function compareClaimants(a: Claimant, b: Claimant, precedence: Precedence): number {
  const byAge = precedence === "oldest" ? a.created - b.created : b.created - a.created;
  return byAge || compareText(a.namespace, b.namespace) || compareText(a.name, b.name) ||
    compareText(a.kind, b.kind);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
