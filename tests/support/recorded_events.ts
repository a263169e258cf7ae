/** What a sidecar has to tell of an object, and when. */
import type { RecordedEvent } from "../../lib/kube/events/event_series.ts";

/** Milliseconds since 1970. */
export const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
export const WRITTEN: RecordedEvent = {
  ref: { kind: "ConfigMap", namespace: "default", name: "dashboards" },
  uid: "1-2-3",
  type: "Normal",
  reason: "FilesWritten",
  message: "wrote /data/a.json",
};
