/** What the process exits with. Source: the contract's "Exit codes". */
export const EXIT = { done: 0, configuration: 2, api: 3, files: 4 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
