/**
 * The two APIs for Events. They serve the same objects with different field names.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
import type { Body } from "../client/exchange.ts";
import type { EventSeries } from "./event_series.ts";

/** The name of this program in its Events. */
const COMPONENT = "deno-k8s-sidecar";

/** The action, which events.k8s.io requires. The result is in the reason. */
const ACTION = "PublishFiles";

/**
 * Limit for the name of an instance. Source: kubernetes `pkg/apis/core/validation/events.go`,
 * ReportingInstanceLengthLimit.
 */
const MAX_INSTANCE_LENGTH = 128;

export interface EventApi {
  /** The path before `/namespaces`. */
  readonly root: string;
  /** The complete Event, with its repeats. */
  create(series: EventSeries, reportingInstance: string): Body;
  /** The patch for further repeats. */
  repeat(series: EventSeries): Body;
}

/** Since Kubernetes 1.19. */
export const EVENTS_V1: EventApi = {
  root: "/apis/events.k8s.io/v1",
  create: (series, reportingInstance) =>
    json({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      ...common(series, reportingInstance),
      reportingController: COMPONENT,
      regarding: regarding(series),
      note: series.event.message,
      eventTime: microTime(series.firstTime),
      ...(series.count > 1 ? seriesOf(series) : {}),
    }),
  repeat: (series) => mergePatch(seriesOf(series)),
};

/** Served by every version. */
export const CORE_V1: EventApi = {
  root: "/api/v1",
  create: (series, reportingInstance) =>
    json({
      apiVersion: "v1",
      kind: "Event",
      ...common(series, reportingInstance),
      reportingComponent: COMPONENT,
      source: { component: COMPONENT },
      involvedObject: regarding(series),
      message: series.event.message,
      firstTimestamp: time(series.firstTime),
      lastTimestamp: time(series.lastTime),
      count: series.count,
    }),
  repeat: (series) => mergePatch({ count: series.count, lastTimestamp: time(series.lastTime) }),
};

/** `/apis/events.k8s.io/v1/namespaces/NAMESPACE/events`, with `/NAME` for one Event. */
export function eventPath({ root }: EventApi, namespace: string, name?: string): string {
  const events = `${root}/namespaces/${namespace}/events`;
  return name === undefined ? events : `${events}/${name}`;
}

function common({ name, event: { ref, type, reason } }: EventSeries, reportingInstance: string) {
  return {
    metadata: { name, namespace: ref.namespace },
    type,
    reason,
    action: ACTION,
    reportingInstance: reportingInstance.slice(0, MAX_INSTANCE_LENGTH) || COMPONENT,
  };
}

function regarding({ event: { ref, uid } }: EventSeries) {
  return { apiVersion: "v1", ...ref, ...(uid === undefined ? {} : { uid }) };
}

function seriesOf({ count, lastTime }: EventSeries) {
  return { series: { count, lastObservedTime: microTime(lastTime) } };
}

function json(value: unknown): Body {
  return { type: "application/json", value };
}

function mergePatch(value: unknown): Body {
  return { type: "application/merge-patch+json", value };
}

/** A MicroTime has exactly six decimals. */
function microTime(date: Date): string {
  return date.toISOString().replace("Z", "000Z");
}

/** A Time has none. */
function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
