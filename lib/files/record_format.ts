/**
 * The lines of the record, one JSON array each:
 *
 * ```
 * ["journal", 2]
 * ["own", "/data/a.json", "ConfigMap/default/a", 4711, 1732556751000, 2048]
 *                             ours, with the inode, modification time and size that we gave it
 *                             After a restart it is removed only if it still has these three, or, if this is the last entry
 *                             of its kind, those of the entry before: a crash may have come before the rename
 * ["own", "/data/b.json", "ConfigMap/default/a", 4712, 1732556751000, 2048, "taken over"]
 *                             ours if it has that inode: we were about to replace somebody else's file
 * ["own", "/data/b.json", "ConfigMap/default/a", 4712, 1732556751000, 2048, "rewritten"]
 *                             ours unless it is unchanged: we were about to rewrite somebody else's file in place
 * ["drop", "/data/a.json"]    no longer ours
 * ["make", "/data/team"]      a directory that we made
 * ["unmake", "/data/team"]
 * ["pending", ["/data/a.json"]]   changes that the application has not been notified of
 * ["delivered", ["/data/a.json"]] it was notified of these
 * ["delivered"]               it was notified of all of them
 * ["failure", {"type": "refused", "attempts": 2, "endedAt": 1732556751000, "delay": 300, "fingerprint": "5a17:9f32"}]
 *                             a notification failed twice in a row; the next attempt is 300 s after the last one ended
 * ["failure", null]           the last notification succeeded
 * ["collections"]             all collections of the process follow. Files of those that the next start has not are removed
 * ["collection", {"name": "rules", "folder": "/rules", "id": "9f86d08188", "onRemove": "delete"}]
 * ```
 */
import type { Stamp } from "./stamp.ts";

export type Entry =
  | readonly ["journal", number]
  | readonly ["own", path: string, owner: string, ...stamp: StampFields]
  | readonly ["own", path: string, owner: string, ...stamp: StampFields, Condition]
  | readonly ["drop" | "make" | "unmake", path: string]
  | readonly ["pending", paths: readonly string[]]
  | readonly ["delivered", paths?: readonly string[]]
  | readonly ["failure", RecordedFailure | null]
  | readonly ["collections"]
  | readonly ["collection", collection: RecordedCollection];

type StampFields = [ino: number, mtime: number, size: number];

export const FORMAT = 2;

/** When a path is ours after a crash, if somebody else's file was there: it was replaced, or rewritten in place. */
export type Condition = "taken over" | "rewritten";

const CONDITIONS: readonly unknown[] = ["taken over", "rewritten"] satisfies Condition[];

export function ownEntry(
  path: string,
  owner: string,
  { ino, mtime, size }: Stamp,
  condition: Condition | undefined,
): Entry {
  return condition === undefined
    ? ["own", path, owner, ino, mtime, size]
    : ["own", path, owner, ino, mtime, size, condition];
}

/** The failure of the last notification. */
export interface RecordedFailure {
  type: string;
  /** In a row. */
  attempts: number;
  /** In ms since 1970. */
  endedAt: number;
  /** Seconds from then to the next attempt. */
  delay: number;
  /** Of the credentials, without revealing them: others may read the record. */
  fingerprint?: string;
}

/** Where a collection has its files and its record. */
export interface RecordedCollection {
  name: string;
  /** Absolute and normalised. */
  folder: string;
  /** Of its directory `FOLDER/..k8s-sidecar-<id>`. */
  id: string;
  /** Where the record is, if it is not in that directory. */
  stateFile?: string;
  /** What happens to the files when the collection is removed from the configuration. */
  onRemove: "delete" | "keep";
}

/** UTF-16 units in the paths of an entry. In UTF-8 and JSON they have six times as many bytes at most. */
const MAX_PATHS_LENGTH = 32 * 1024;

/** Bytes; a file with a longer line is not a record. */
export const MAX_LINE_BYTES = 256 * 1024;

/** Entries for any number of paths, each short enough for a line. */
export function* pathEntries(word: "pending" | "delivered", paths: Iterable<string>): Generator<Entry> {
  let group: string[] = [];
  let length = 0;
  for (const path of paths) {
    if (length > 0 && length + path.length > MAX_PATHS_LENGTH) {
      yield [word, group];
      group = [];
      length = 0;
    }
    group.push(path);
    length += path.length;
  }
  if (group.length > 0) yield [word, group];
}

/** The entry itself and the paths in its list. */
export function sizeOf(entry: Entry | undefined): number {
  return 1 + (entry?.[0] === "pending" || entry?.[0] === "delivered" ? entry[1]?.length ?? 0 : 0);
}

/** `undefined` when the line is not an entry of this format. */
export function parseEntry(line: string): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isEntry(value)) return undefined;
  const [word, paths] = value;
  if (word === "pending") return [word, paths.filter(isText)];
  return word === "delivered" && paths !== undefined ? [word, paths.filter(isText)] : value;
}

function isEntry(value: unknown): value is Entry {
  if (!Array.isArray(value)) return false;
  const [word, subject, owner, ...rest] = value;
  switch (word) {
    case "journal":
      return subject === FORMAT;
    case "own":
      return isPath(subject) && typeof owner === "string" && isStamp(rest.slice(0, 3)) &&
        (rest.length === 3 || (rest.length === 4 && CONDITIONS.includes(rest[3])));
    case "drop":
    case "make":
    case "unmake":
      return isPath(subject);
    case "pending":
      return Array.isArray(subject);
    case "delivered":
      return subject === undefined || Array.isArray(subject);
    case "failure":
      return subject === null || isFailure(subject);
    case "collections":
      return true;
    case "collection":
      return isCollection(subject);
    default:
      return false;
  }
}

function isCollection(value: unknown): value is RecordedCollection {
  if (typeof value !== "object" || value === null) return false;
  const { name, folder, id, stateFile, onRemove } = value as Partial<RecordedCollection>;
  return isText(name) && isPath(folder) && isText(id) && /^[0-9a-f]{1,64}$/.test(id) &&
    (stateFile === undefined || stateFile === "none" || isPath(stateFile)) &&
    (onRemove === "delete" || onRemove === "keep");
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFailure(value: unknown): value is RecordedFailure {
  if (typeof value !== "object" || value === null) return false;
  const { type, attempts, endedAt, delay, fingerprint = "" } = value as Partial<RecordedFailure>;
  return typeof type === "string" && [attempts, endedAt, delay].every(isFiniteNumber) &&
    typeof fingerprint === "string";
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("/") && !value.includes("\0");
}

function isStamp(values: readonly unknown[]): boolean {
  return values.length === 3 && values.every(isFiniteNumber);
}

/** `1e999` is infinite, which JSON cannot write again. */
function isFiniteNumber(value: unknown): boolean {
  return Number.isFinite(value);
}
