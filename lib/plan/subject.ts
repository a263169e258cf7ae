/** What `explain` is asked about: an object or a path. */
import { resolvePath } from "../files/paths.ts";
import type { Kind } from "../objects/kind.ts";
import type { ObjectRef } from "../objects/ref.ts";

export type Subject = { path: string } | { ref: ObjectRef };

const KIND_WORDS: Readonly<Record<string, Kind>> = {
  cm: "ConfigMap",
  configmap: "ConfigMap",
  configmaps: "ConfigMap",
  secret: "Secret",
  secrets: "Secret",
};

/** `undefined`: neither. Takes `kind/namespace/name`, too, and without a namespace the sidecar's own. */
export function parseSubject(text: string, ownNamespace: string): Subject | undefined {
  if (text.startsWith("/") || text.startsWith("./") || text.startsWith("../")) {
    return { path: resolvePath(Deno.cwd(), text) };
  }
  const parts = text.split("/");
  if (parts.includes("")) return undefined;
  const [first = "", second = "", third] = parts;
  const kind = kindOf(second);
  if (parts.length === 3 && kind !== undefined) return { ref: { kind, namespace: first, name: third! } };
  const firstKind = kindOf(first);
  if (firstKind === undefined || parts.length < 2 || parts.length > 3) return undefined;
  return third === undefined
    ? { ref: { kind: firstKind, namespace: ownNamespace, name: second } }
    : { ref: { kind: firstKind, namespace: second, name: third } };
}

function kindOf(word: string): Kind | undefined {
  const lower = word.toLowerCase();
  return Object.hasOwn(KIND_WORDS, lower) ? KIND_WORDS[lower] : undefined;
}
