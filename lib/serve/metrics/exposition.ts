/** Which format of the metrics a scraper gets. */
import type { MetricsFormat } from "../../runtime/metrics_registry.ts";

/** Media types of the answers. */
export const MEDIA_TYPES: Readonly<Record<MetricsFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

const OPENMETRICS = "application/openmetrics-text";

/** OpenMetrics for those who prefer it (Prometheus does), else the text format. */
export function formatFor(accept: string | null): MetricsFormat {
  const weights = new Map<string, number>();
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    // We have version 1.0.0, and 0.0.1 is the same for what we write
    const version = parameters.find((parameter) => parameter.startsWith("version="))?.slice("version=".length);
    if (type === OPENMETRICS && version !== undefined && !["1.0.0", "0.0.1"].includes(version)) continue;
    const q = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
    weights.set(type, Math.max(weights.get(type) ?? 0, Number.isNaN(q) ? 0 : q));
  }
  const openmetrics = weights.get(OPENMETRICS) ?? 0;
  const text = weights.get("text/plain") ?? weights.get("text/*") ?? weights.get("*/*") ?? 0;
  return openmetrics > 0 && openmetrics >= text ? "openmetrics" : "text";
}
