/** The kinds that carry files. */
export type Kind = "ConfigMap" | "Secret";

/** The kinds in the order in which they are watched. */
export const KINDS: readonly Kind[] = ["ConfigMap", "Secret"];

/** The plural that an API path uses for a kind: `configmaps`. */
export function pluralOf(kind: Kind | "Namespace"): string {
  return `${kind.toLowerCase()}s`;
}
