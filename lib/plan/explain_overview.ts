/** Everything that is wrong, without a question about one object or path. */
import { counted } from "../runtime/quantities.ts";
import { andMore } from "../sidecar/status/words.ts";
import type { Problem } from "../serve/status.ts";
import { isAffected } from "./affected_objects.ts";
import { cureOfCollision } from "./cures.ts";
import type { Explanation, FileExplanation } from "./explanation.ts";
import { isChangedByOthers, plannedState, restoredWhen } from "./file_states.ts";
import type { Picture } from "./picture.ts";
import { shownKey } from "./shown_object.ts";

export function explainOverview(picture: Picture): Omit<Explanation, "version" | "sidecar"> {
  const { failures, status } = picture;
  const files = states(picture);
  const problems = [
    ...status === undefined ? [...failures, ...plannedProblems(picture)] : told(status.problems, failures),
    ...Map.groupBy(files.filter(({ isByOthers }) => isByOthers), ({ collection }) => collection).values()
      .map((group) => changedByOthers(group, picture)),
  ];
  const collections = [...Map.groupBy(files, ({ collection }) => collection)].map(([name, group]) => ({
    ...{ name, isSelected: true, reasons: [] },
    files: group.map(({ file, isByOthers }): FileExplanation =>
      isByOthers || isAboutFile(file, problems) ? { ...file, hasProblem: true } : file
    ),
  }));
  const others = collections.flatMap(({ files }) => files).filter(({ hasProblem }) => !hasProblem).length;
  const isAnswered = status !== undefined || failures.length === 0;
  return {
    summary: summaryOf(problems.length, others, picture) + (isAnswered ? "" : ", and the cluster could not be read"),
    isAnswered,
    collections,
    problems,
    suggestions: [],
  };
}

/** With what the sidecar has not met yet. */
function told(problems: readonly Problem[], failures: readonly Problem[]): Problem[] {
  return problems.some(({ severity }) => severity === "error") ? [...problems] : [...failures, ...problems];
}

function summaryOf(problems: number, files: number, { status }: Picture): string {
  if (problems === 0 && files === 0) {
    return status === undefined ? "nothing is wrong with the objects and the files" : "nothing is wrong";
  }
  const late = (more: string) => `${counted(files, `${more}file`)} ${files === 1 ? "is" : "are"} not up to date`;
  if (problems === 0) return late("");
  return files === 0 ? counted(problems, "problem") : `${counted(problems, "problem")}, and ${late("more ")}`;
}

/** What a start would find, where no sidecar answers. */
function plannedProblems({ collections }: Picture): Problem[] {
  return collections.flatMap((collection): Problem[] => {
    const { collection: { name }, problems } = collection;
    return [
      ...problems.map(({ object, path, what, cure }): Problem => ({
        ...{ severity: "error", collection: name, what, cure },
        ...(object === undefined ? {} : { object }),
        ...(path === undefined ? {} : { path }),
      })),
      ...collection.lost().map(({ path, winner, loser, blocker }): Problem => ({
        ...{ severity: "warning", collection: name, object: shownKey(loser.key), path },
        what: `${path} is that of ${shownKey(winner.key)}${blocker === undefined ? "" : `, which has ${blocker}`}`,
        cure: cureOfCollision(blocker !== undefined),
      })),
      ...collection.missingObjects(),
    ];
  });
}

interface LateFile {
  collection: string;
  file: FileExplanation;
  /** Something else than the sidecar removed or changed it. */
  isByOthers: boolean;
}

/** Only files that are not as they should be. */
function states(picture: Picture): LateFile[] {
  const { status, collections } = picture;
  return collections.flatMap((collection) =>
    [...collection.files()].flatMap(([path, planned]): LateFile[] => {
      const state = plannedState(path, planned, collection, picture);
      if (state.state === "in place") return [];
      const isByOthers = status !== undefined && ["missing", "differs"].includes(state.state) &&
        !status.problems.some((problem) => isAffected(shownKey(planned.owner), problem)) &&
        isChangedByOthers(path, picture);
      const file = { path, object: shownKey(planned.owner), ...state };
      return [{ collection: collection.collection.name, file, isByOthers }];
    })
  );
}

/** One problem for all files: a removed folder may have had thousands. */
function changedByOthers(files: readonly LateFile[], picture: Picture): Problem {
  const [{ collection, file: { path } }, ...more] = files as [LateFile, ...LateFile[]];
  const isMissing = files.every(({ file }) => file.state === "missing");
  const what = isMissing ? "removed" : "changed";
  return {
    ...{ severity: "warning", collection, path },
    what: `something other than the sidecar ${what} ${andMore(path, more.length)}`,
    cure: `The sidecar writes ${more.length === 0 ? "it" : "them"} again ${
      restoredWhen(picture)
    }. Find out what else has access to the folder`,
  };
}

/** Whether a problem says what is wrong with a file. */
function isAboutFile({ path, object }: FileExplanation, problems: readonly Problem[]): boolean {
  return problems.some((problem) =>
    problem.path === undefined ? isAffected(object, problem) && problem.key === undefined : problem.path === path
  );
}
