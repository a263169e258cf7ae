/** The state that the health endpoints report. Each reason is one line. */
export interface HealthState {
  /** Why the first sync is not complete; `undefined` once it is. */
  notReady(): string | undefined;
  /**
   * Which of this program's loops makes no progress, where a restart would help, or for how long the API server has been
   * silent, with K8S_CONTACT_THRESHOLD_SECONDS; `undefined`: all is well.
   */
  stuck(): string | undefined;
}

/** The answer of the health endpoint at a path: 503 if there is a reason, else 200. `undefined` for any other path. */
export function checkHealth(path: string, state: HealthState): { reason: string | undefined } | undefined {
  switch (path) {
    case "/healthz":
      return { reason: state.notReady() ?? state.stuck() };
    case "/livez":
      return { reason: state.stuck() };
    case "/readyz":
      return { reason: state.notReady() };
    default:
      return undefined;
  }
}
