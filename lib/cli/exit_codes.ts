/** The exit codes of the process; `apiFailed` and `filesFailed` are for METHOD=LIST and `remove-finalizers`. */
export const EXIT = { done: 0, configuration: 2, apiFailed: 3, filesFailed: 4 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
