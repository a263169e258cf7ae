import type { ObjectRef } from "../objects/ref.ts";

/** An object that claims paths. */
export interface Claimant extends Readonly<ObjectRef> {
  /** Identifies the object. */
  readonly key: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The paths that it claims. */
  readonly paths: readonly string[];
  /** Takes precedence over that of the claims: objects of several collections may have different ones. */
  readonly precedence?: Precedence;
}

/** COLLISIONS: which of several objects wins a path, by creation. */
export type Precedence = "oldest" | "newest";

/** Negative: `a` comes first. If their precedence differs, the one with `oldest` does. */
export function compareClaimants(a: Claimant, b: Claimant, precedence: Precedence): number {
  const [ofA, ofB] = [a.precedence ?? precedence, b.precedence ?? precedence];
  if (ofA !== ofB) return ofA === "oldest" ? -1 : 1;
  const byAge = ofA === "oldest" ? a.created - b.created : b.created - a.created;
  return byAge || compareText(a.namespace, b.namespace) || compareText(a.name, b.name) ||
    compareText(a.kind, b.kind) || compareText(a.key, b.key);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
