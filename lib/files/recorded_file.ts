/** What is on disk, compared with what the record of an earlier run says. */
import type { Condition } from "./record_format.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";

/** Whether the file at a path has this stamp. */
export function isAt(path: string, stamp: Stamp): boolean {
  try {
    return sameStamp(stampOf(Deno.lstatSync(path)), stamp);
  } catch {
    return false;
  }
}

/** Whether a path is ours though the entry in the record has a condition. */
export function isOurs(path: string, stamp: Stamp, condition: Condition): boolean {
  try {
    const present = stampOf(Deno.lstatSync(path));
    if (present.ino !== stamp.ino) return false;
    return condition === "taken over" || !sameStamp(present, stamp);
  } catch {
    return false;
  }
}
