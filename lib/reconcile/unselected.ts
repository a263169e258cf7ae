/** Tells an object that is no longer selected from one that was deleted: lists and watches report both in the same way. */
import type { KubeObject } from "../objects/object.ts";
import { type ObjectRef, refOf } from "../objects/ref.ts";
import { matchesSelector, parseSelector } from "../objects/selector_grammar.ts";
import type { Source } from "../objects/source.ts";

export interface UnselectedOptions {
  sources: readonly Source[];
  selects?: ((source: Source, namespace: string) => boolean) | undefined;
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
}

/** Whether an object exists and is not selected. Rejects if it cannot be read. */
export async function isUnselected(
  key: string,
  { sources, selects = () => true, read }: UnselectedOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const ref = refOf(key);
  const object = await read({ kind: ref.kind, namespace: ref.namespace }, ref, signal);
  if (object === undefined) return false;
  return !sources.some((source) =>
    source.kind === ref.kind &&
    (source.namespace ?? ref.namespace) === ref.namespace &&
    (source.name ?? ref.name) === ref.name &&
    selects(source, ref.namespace) &&
    matchesSelector(parseSelector(source.labelSelector ?? ""), object.metadata.labels)
  );
}
