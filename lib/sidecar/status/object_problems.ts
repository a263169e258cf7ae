/** What is wrong with the objects of a collection: refused, lost, not written, not downloaded. */
import type { Collection } from "../../config/collection_settings.ts";
import type { UndeliveredContent } from "../../downloads/scheduler.ts";
import type { Collision } from "../../files/claims.ts";
import { PublishError } from "../../files/publish_error.ts";
import { volumeOf } from "../../files/volume.ts";
import { objectToContinue, ownerToRemove } from "../../reconcile/reconciler_parts.ts";
import type { Refusal } from "../../reconcile/refusals.ts";
import type { TrackedObject } from "../../reconcile/tracked_object.ts";
import type { Problem } from "../../serve/status.ts";
import { given } from "../../runtime/given.ts";
import { counted } from "../../runtime/quantities.ts";
import { messageOf } from "../../runtime/message_of.ts";
import type { CollectionInner } from "../collections/collection.ts";
import { andMore, assignmentOf, isSecret, objectOf, settingOf, withoutQueries } from "./words.ts";

/** A problem of the collection itself, as its disk is, and not of one object. */
export type CollectionProblem = Problem & { isOfCollection?: true };

export function objectProblems(inner: CollectionInner): CollectionProblem[] {
  const { collection } = inner;
  const problems = [
    ...refusedObjects(inner),
    ...refusedPaths(inner),
    ...unpublished(inner),
    ...undelivered(inner),
    ...lostPaths(inner),
  ];
  return problems.map((problem) => ({ collection: collection.name, ...problem }));
}

function refusedObjects({ collection, refusals }: CollectionInner): CollectionProblem[] {
  return [...refusals.all()].map(([owner, refusal]) => {
    const key = keyIn(refusal.text);
    return {
      severity: "error",
      object: objectOf(owner),
      ...given("key", key),
      what: refusal.more > 0 ? `${refusalIn(refusal)} (and ${refusal.more} more keys)` : refusalIn(refusal),
      cure: refusalCure(refusal, collection),
    };
  });
}

function refusalIn({ text }: Refusal): string {
  return text.replace(/ \(set ALLOWED_FOLDERS.*\)$/, "");
}

function refusalCure({ reason, text }: Refusal, collection: Collection): string {
  const kept = "Its last accepted files stay until then";
  if (reason === "too_many_keys") {
    return `Split the object, or raise ${settingOf(collection, "MAX_FILES_PER_OBJECT")}. ${kept}`;
  }
  if (reason === "key") return "Correct the key in the object. Its last accepted file stays until then";
  const { folderAnnotation } = collection.files;
  const annotation = `Correct the annotation ${folderAnnotation} of the object`;
  return text.includes("ALLOWED_FOLDERS")
    ? `${annotation}, or add the folder to ${settingOf(collection, "ALLOWED_FOLDERS")}. ${kept}`
    : `${annotation}. ${kept}`;
}

function keyIn(text: string): string | undefined {
  const [, quoted] = /^key ("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return quoted === undefined ? undefined : JSON.parse(quoted);
}

/** Paths that lead out of the allowed folders over a symlink. */
function refusedPaths({ collection, reports, claims }: CollectionInner): CollectionProblem[] {
  return [...reports.pathRefusals].map(([path, reason]) => {
    const winner = claims.winnerOf(path);
    return {
      severity: "error",
      ...given("object", winner && objectOf(winner.key)),
      path,
      what: reason,
      cure: `Remove the symlink on the way to ${path}, or add the folder that it leads to to ` +
        settingOf(collection, "ALLOWED_FOLDERS"),
    };
  });
}

/** What the queue tries again. Faults of the disk are one problem for each kind of them. */
function unpublished({ collection, queue }: CollectionInner): CollectionProblem[] {
  const problems: CollectionProblem[] = [];
  const ofDisk = new Map<string, Map<string, PublishError>>();
  for (const [item, error] of queue.unsettled()) {
    if (error === undefined) continue;
    const key = ownerToRemove(item) ?? objectToContinue(item) ?? item;
    if (error instanceof PublishError && !error.isImpossible) {
      const code = error.code ?? "";
      const known = ofDisk.get(code) ?? new Map<string, PublishError>();
      ofDisk.set(code, known);
      if (!known.has(key)) known.set(key, error);
    } else {
      const isOfDisk = error instanceof PublishError;
      problems.push({
        severity: isOfDisk ? "error" : "warning",
        object: objectOf(key),
        what: withoutQueries(messageOf(error)),
        cure: isOfDisk
          ? obstacleCure(error)
          : "It is read again by itself. If that lasts, check the API server and RBAC",
      });
    }
  }
  for (const [code, errors] of ofDisk) {
    const objects = [...errors].map(([key, { message }]) => ({ object: objectOf(key), what: message }));
    const [{ object, what } = { object: "", what: "" }, ...others] = objects;
    const more = others.length === 0 ? "" : ` (and ${counted(others.length, "more object")})`;
    problems.push({
      ...{ severity: "error", isOfCollection: true, object, what: what + more, cure: diskCure(code, collection) },
      ...given("objects", others.length === 0 ? undefined : objects),
    });
  }
  return problems;
}

function obstacleCure({ isObstructed }: PublishError): string {
  return isObstructed
    ? "Remove what is in the way, or rename the key; it is written as soon as the path is free"
    : "Check the rights of that path: fsGroup and runAsUser. It is tried again by itself";
}

function diskCure(code: string, { files: { folder } }: Collection): string {
  const volume = `the volume of ${volumeOf(folder) ?? folder}`;
  const again = "It is tried again by itself";
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return `Make room on ${volume}, or raise its limit (emptyDir.sizeLimit). ${again}`;
    case "EROFS":
      return `Mount ${volume} writable (readOnly: false). ${again}`;
    case "EACCES":
    case "EPERM":
      return `Let the sidecar's user write to ${volume}: check fsGroup and runAsUser. ${again}`;
    default:
      return `Check ${volume}. ${again}`;
  }
}

/** The code of the error in a message. */
function codeIn(reason = ""): string {
  if (/no space|full|quota/i.test(reason)) return "ENOSPC";
  if (/read-only/i.test(reason)) return "EROFS";
  return /permi/i.test(reason) ? "EACCES" : "";
}

function undelivered({ collection, downloads }: CollectionInner): CollectionProblem[] {
  return [...downloads.undelivered()].filter(({ state }) => state !== "awaited").map((content) => {
    const { path, owner, isDiskFault } = content;
    return {
      severity: "error",
      object: objectOf(owner),
      path,
      what: downloadFailure(content),
      cure: isDiskFault ? diskCure(codeIn(content.reason), collection) : downloadCure(content, collection),
      ...given("isOfCollection", isDiskFault ? true as const : undefined),
    };
  });
}

/** The URL in a Secret is a value of it. */
function downloadFailure({ owner, state, reason = "", isArchive, isDiskFault }: UndeliveredContent): string {
  const what = isArchive
    ? "the archive cannot be unpacked"
    : state === "refused"
    ? "the download was refused"
    : isDiskFault
    ? "the download cannot be written"
    : "the download failed";
  return isSecret(owner) && !isArchive
    ? `${what}; the sidecar's log has the reason`
    : `${what}: ${withoutQueries(reason)}`;
}

function downloadCure({ reason = "", isArchive }: UndeliveredContent, collection: Collection): string {
  const kept = "An earlier file stays until then";
  if (reason.includes("URL_ALLOWED_HOSTS")) {
    return `Add the host to ${settingOf(collection, "URL_ALLOWED_HOSTS")}, or change the URL. ${kept}`;
  }
  const [limit] = /URL_MAX_BYTES(_PER_OBJECT|_TOTAL)?/.exec(reason) ?? [];
  if (limit !== undefined) {
    return `Raise ${settingOf(collection, limit as "URL_MAX_BYTES")}, or let the URL bring less. ${kept}`;
  }
  if (isArchive) {
    return `Put a valid gzip archive into the object, or set ${assignmentOf(collection, "DECOMPRESS", "false")}`;
  }
  if (/\b(401|403)\b/.test(reason)) {
    return `Give the user and password in ${
      settingOf(collection, "NETRC")
    }, or in the URL. It is tried again by itself`;
  }
  return `Check the URL in the object, and that its server answers. It is tried again by itself. ${kept}`;
}

/** One problem for each pair of objects. */
function lostPaths({ collection, claims }: CollectionInner): CollectionProblem[] {
  const pairs = new Map<string, { first: Collision<TrackedObject>; more: number }>();
  for (const collision of claims.lost()) {
    if (collision.collections !== undefined && collision.collections.loser !== collection.name) continue;
    const pair = `${collision.winner.key} ${collision.loser.key} ${collision.blocker === undefined}`;
    const known = pairs.get(pair);
    if (known !== undefined) known.more++;
    else pairs.set(pair, { first: collision, more: 0 });
  }
  return [...pairs.values()].map(({ first, more }) => lostPath(first, more, collection));
}

function lostPath(
  { path, winner, loser, blocker, collections }: Collision<TrackedObject>,
  more: number,
  collection: Collection,
): CollectionProblem {
  const paths = `${andMore(path, more)} ${more > 0 ? "belong" : "belongs"}`;
  const other = collections === undefined
    ? objectOf(winner.key)
    : `${objectOf(winner.key)} of the collection ${collections.winner}`;
  const age = winner.created < loser.created ? "older" : winner.created > loser.created ? "newer" : undefined;
  const why = age === undefined ? "which comes first by name and is as old" : `which is ${age}`;
  const preferred = collection.files.collisions === "oldest" ? "newest" : "oldest";
  const rule = age === undefined
    ? ""
    : `; ${assignmentOf(collection, "COLLISIONS", preferred)} prefers the ${preferred.replace("est", "er")} one`;
  return {
    severity: "warning",
    object: objectOf(loser.key),
    path,
    what: blocker === undefined
      ? `${paths} to ${other}, ${why}`
      : `${
        andMore(path, more)
      } cannot be written: ${other}, ${why}, has ${blocker}, and a path cannot be a file and a folder`,
    cure: blocker === undefined
      ? `${assignmentOf(collection, "UNIQUE_FILENAMES", "true")} keeps both${rule}`
      : `Rename the key, or change the annotation ${collection.files.folderAnnotation}; ${
        assignmentOf(collection, "UNIQUE_FILENAMES", "true")
      } avoids most of these${rule}`,
  };
}
