/** What the running sidecar alone knows, where the settings that it goes on with are not those of the command. */
import { lstat } from "../files/file_calls.ts";
import { qualifiedName } from "../objects/ref.ts";
import { counted } from "../runtime/quantities.ts";
import type { FileStatus, Status } from "../serve/status.ts";
import { eachAffected } from "./affected_objects.ts";
import type { Explanation, FileExplanation } from "./explanation.ts";
import { followingNotification } from "./following_notification.ts";
import { processFailures, withoutLosses } from "./picture.ts";
import type { NamedSubject, Subject } from "./subject.ts";
import { given } from "../runtime/given.ts";

type Answer = Omit<Explanation, "version" | "sidecar">;

export function explainByStatus(subject: Subject | NamedSubject | undefined, status: Status): Answer {
  if (subject === undefined) {
    const { problems } = status;
    const summary = problems.length === 0 ? "nothing is wrong" : counted(problems.length, "problem");
    return { summary, isAnswered: true, collections: [], problems, suggestions: [] };
  }
  const isAsked = (object: string | undefined) => object !== undefined && isOf(object, subject);
  const about = "path" in subject ? subject.path : shownName(subject);
  const files = status.files.filter(({ path, object }) => "path" in subject ? path === subject.path : isAsked(object));
  const problems = [
    ...eachAffected(status.problems).filter(({ path, object }) =>
      "path" in subject ? path === subject.path : isAsked(object)
    ),
    ...processFailures({ failures: [], status }),
  ];
  const collections = filesOf(files, status);
  const [first] = files;
  const none = "path" in subject ? `${about} is no file of the sidecar's` : `the sidecar has no file of ${about}`;
  const some = "path" in subject ? `${about} is that of ${first?.object}` : `${about} has files, see below`;
  return {
    about,
    summary: first === undefined ? none : some,
    isAnswered: first !== undefined || problems.length > 0,
    collections,
    problems: withoutLosses(problems, collections),
    suggestions: [],
  };
}

function shownName(subject: Exclude<Subject, { path: string }> | NamedSubject): string {
  if ("ref" in subject) return qualifiedName(subject.ref).replace(/^\//, "");
  return [subject.namespace, subject.name].filter(Boolean).join("/");
}

/** Without a namespace, an object of any. */
function isOf(object: string, subject: Subject | NamedSubject): boolean {
  if ("path" in subject) return false;
  if ("ref" in subject) {
    const name = qualifiedName(subject.ref);
    return name.startsWith("/") ? object.endsWith(name) : object === name;
  }
  const [namespace, , name] = object.split("/");
  return name === subject.name && (subject.namespace === undefined || subject.namespace === namespace);
}

/** Files as the sidecar has them. */
export function filesOf(files: readonly FileStatus[], status: Status): Explanation["collections"] {
  return [...Map.groupBy(files, ({ collection }) => collection)].map(([name, files]) => ({
    ...{ name, isSelected: true, reasons: [] },
    files: files.map((file): FileExplanation => {
      const { path, object, size, writtenAt } = file;
      const notification = followingNotification(file, status);
      const state = lstat(path)?.isFile ? "in place" : "missing";
      return { path, object, state, size, writtenAt, ...given("notification", notification) };
    }),
  }));
}
