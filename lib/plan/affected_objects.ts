/** The problems of `/status`, one for each object: a fault of the disk is one problem for all that it affects. */
import type { Problem } from "../serve/status.ts";

/** Each with its own message. */
export function eachAffected(problems: readonly Problem[]): Problem[] {
  return problems.flatMap(({ objects, ...problem }) =>
    objects === undefined ? [problem] : objects.map((affected): Problem => ({ ...problem, ...affected }))
  );
}

export function isAffected(object: string, problem: Problem): boolean {
  return problem.object === object || (problem.objects?.some((affected) => affected.object === object) ?? false);
}
