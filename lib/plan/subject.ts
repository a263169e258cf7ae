/** What `explain` is asked about: an object or a path. */
import { resolvePath } from "../files/paths.ts";
import type { Kind } from "../objects/kind.ts";
import type { ObjectRef } from "../objects/ref.ts";

export type Subject = { path: string } | { ref: ObjectRef };

/** An object of either kind, in any namespace if none is given. */
export interface NamedSubject {
  name: string;
  namespace?: string;
}

const KIND_WORDS: Readonly<Record<string, Kind>> = {
  cm: "ConfigMap",
  configmap: "ConfigMap",
  configmaps: "ConfigMap",
  secret: "Secret",
  secrets: "Secret",
};

/** As Kubernetes has it, for objects of both kinds. */
const NAME = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;

/**
 * `undefined`: none of them. Takes `kind/namespace/name`, too, and `kind/name` in the sidecar's own namespace. A name, or
 * `namespace/name`, is that of an object that has to be found.
 */
export function parseSubject(text: string, ownNamespace: string): Subject | NamedSubject | undefined {
  if (text.startsWith("/") || text.startsWith("./") || text.startsWith("../")) {
    return { path: resolvePath(Deno.cwd(), text) };
  }
  const parts = text.split("/");
  if (parts.includes("")) return undefined;
  const [first = "", second = "", third] = parts;
  const kind = kindOf(second);
  if (parts.length === 3 && kind !== undefined) return { ref: { kind, namespace: first, name: third! } };
  const firstKind = kindOf(first);
  if (firstKind === undefined && parts.length < 3 && parts.every((part) => NAME.test(part))) {
    return parts.length === 1 ? { name: first } : { namespace: first, name: second };
  }
  if (firstKind === undefined || parts.length < 2 || parts.length > 3) return undefined;
  return third === undefined
    ? { ref: { kind: firstKind, namespace: ownNamespace, name: second } }
    : { ref: { kind: firstKind, namespace: second, name: third } };
}

function kindOf(word: string): Kind | undefined {
  const lower = word.toLowerCase();
  return Object.hasOwn(KIND_WORDS, lower) ? KIND_WORDS[lower] : undefined;
}
