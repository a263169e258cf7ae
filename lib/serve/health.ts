/** The state that the health endpoints report. Each reason is one line. */
export interface HealthState {
  /** Why the first sync is not complete; `undefined` once it is. */
  notReady(): string | undefined;
  /**
   * The loop of this program that is stuck, so that a restart would help; or, with K8S_CONTACT_THRESHOLD_SECONDS, how long
   * the API server has been silent. `undefined`: the program is live.
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
