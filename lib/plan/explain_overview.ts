/** Everything that is wrong, without a question about one object or path. */
import { lstat } from "../files/file_calls.ts";
import type { Problem } from "../serve/status.ts";
import { cureOfCollision } from "./cures.ts";
import type { Explanation } from "./explanation.ts";
import type { Picture } from "./picture.ts";
import { shownKey } from "./shown_object.ts";

export function explainOverview({ collections, failures, status }: Picture): Omit<Explanation, "version" | "sidecar"> {
  const planned = collections.flatMap((collection): Problem[] => {
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
    ];
  });
  const problems = status === undefined ? [...failures, ...planned] : status.problems;
  const isAnswered = status !== undefined || failures.length === 0;
  return {
    summary: summaryOf(problems, isAnswered),
    isAnswered,
    collections: states(collections),
    problems,
    suggestions: [],
  };
}

function summaryOf(problems: readonly Problem[], isAnswered: boolean): string {
  if (problems.length === 0) return "nothing is wrong";
  const [count, more] = problems.length === 1 ? ["1 problem", ""] : [`${problems.length} problems`, ""];
  return `${count}${more}${isAnswered ? "" : ", and the cluster could not be read"}`;
}

/** Only files that are not as they should be. */
function states(collections: Picture["collections"]): Explanation["collections"] {
  return collections.flatMap((collection) => {
    const { name } = collection.collection;
    const files = [...collection.files()].flatMap(([path, { owner, action }]) => {
      if (action === "same" || (action === "unknown" && lstat(path) !== undefined)) return [];
      const state =
        ({ create: "missing", change: "differs", remove: "to be removed", unknown: "to be downloaded" } as const)[
          action
        ];
      return [{ path, object: shownKey(owner), state }];
    });
    return files.length === 0 ? [] : [{ name, isSelected: true, reasons: [], files }];
  });
}
