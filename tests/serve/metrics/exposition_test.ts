import assert from "node:assert/strict";
import { formatFor } from "../../../lib/serve/metrics/exposition.ts";

Deno.test("formatFor() gives OpenMetrics to those who prefer it", () => {
  const cases: [string | null, string][] = [
    // Prometheus 2.42 and 3
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
      "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2",
      "openmetrics",
    ],
    ["application/openmetrics-text", "openmetrics"],
    ["Application/OpenMetrics-Text; Version=1.0.0", "openmetrics"],
    ["text/plain;version=0.0.4,application/openmetrics-text;q=0.5", "text"],
    ["application/openmetrics-text;q=0", "text"],
    ["application/openmetrics-text;version=2.0.0", "text"],
    ["text/html,*/*", "text"],
    ["", "text"],
    [null, "text"],
  ];
  for (const [accept, format] of cases) assert.equal(formatFor(accept), format, accept ?? "no header");
});
