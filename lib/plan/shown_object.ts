/** How commands name the object with a key: as RESOURCE_NAME and `explain` take it, and as `/status` has it. */
import { qualifiedName, refOf } from "../objects/ref.ts";

export function shownKey(key: string): string {
  return qualifiedName(refOf(key));
}
