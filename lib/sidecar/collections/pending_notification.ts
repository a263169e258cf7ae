/**
 * How an undelivered notification survives a restart. The journal stores what is pending, beside its record of the
 * files:
 *
 * 1. The publisher records a path as pending before it changes the file (`beforeChange` in collection.ts). If the process
 *    is killed right after the change, the next run still knows that the application must be notified.
 * 2. The runner adds the path once more after the change, because a notification of an earlier change of the same file may
 *    have been delivered in between.
 * 3. When the application was notified of the path, `delivered` removes it from the journal.
 * 4. When the webhook fails, the journal also stores the kind of failure, the attempts so far and the delay before the next
 *    attempt (notify/failed_calls.ts), so that a restart does not shorten the delay.
 * 5. At its start, the runner loads the paths and the failure of the earlier run and continues from there.
 */
import type { Journal } from "../../files/journal.ts";
import type { Pending } from "../../notify/runner.ts";

/** The journal, as the notification runner sees it. */
export function pendingIn(
  journal: Pick<Journal, "pending" | "addPending" | "delivered" | "failure" | "recordFailure">,
): Pending {
  return {
    load: () => journal.pending && [...journal.pending],
    add: (paths) => journal.addPending(paths),
    delivered: (paths) => journal.delivered(paths),
    failure: () => journal.failure,
    failed: (failure) => journal.recordFailure(failure),
  };
}
