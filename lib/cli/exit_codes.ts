/**
 * The exit codes of the process; `apiFailed` and `filesFailed` are for METHOD=LIST, `remove-finalizers` and `plan`, `unhealthy`
 * for `healthcheck` and `status` without an answer, `differs` for `plan --exit-code`, `unanswered` for `explain`.
 */
export const EXIT = {
  done: 0,
  unhealthy: 1,
  differs: 1,
  unanswered: 1,
  configuration: 2,
  apiFailed: 3,
  filesFailed: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
