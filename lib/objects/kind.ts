/** The kinds of objects that become files. */
export type Kind = "ConfigMap" | "Secret";

/** The kinds in the order in which they are watched. */
export const KINDS: readonly Kind[] = ["ConfigMap", "Secret"];

/** The plural of a kind in API paths: `configmaps`. */
export function pluralOf(kind: Kind | "Namespace"): string {
  return `${kind.toLowerCase()}s`;
}
