/**
 * The exit codes of the process; `apiFailed` and `filesFailed` are for METHOD=LIST and `remove-finalizers`, `unhealthy` for
 * `healthcheck`, and for `status` without an answer.
 */
export const EXIT = { done: 0, unhealthy: 1, configuration: 2, apiFailed: 3, filesFailed: 4 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
