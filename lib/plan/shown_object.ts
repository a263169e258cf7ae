/** How commands name an object: as RESOURCE_NAME and `explain` take it, and as `/status` has it. */
import { type ObjectRef, refOf } from "../objects/ref.ts";

/** `namespace/configmap/name`. */
export function shownObject({ kind, namespace, name }: ObjectRef): string {
  return `${namespace}/${kind.toLowerCase()}/${name}`;
}

export function shownKey(key: string): string {
  return shownObject(refOf(key));
}
