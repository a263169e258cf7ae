import assert from "node:assert/strict";
import type { Log } from "../../lib/log/log.ts";
import { withProperties } from "../../lib/log/with_properties.ts";

Deno.test("withProperties() adds properties to each line, and a line's own take precedence", () => {
  const lines: unknown[] = [];
  const at = (level: string) => (...line: unknown[]) => void lines.push([level, ...line]);
  const log: Log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    critical: at("critical"),
  };
  const about = withProperties(log, { collection: "a" });
  about.debug("1");
  about.info("2", { files: 3 });
  about.warn("3", { collection: "b" });
  about.error("4");
  about.critical("5");
  assert.deepEqual(lines, [
    ["debug", "1", { collection: "a" }],
    ["info", "2", { collection: "a", files: 3 }],
    ["warn", "3", { collection: "b" }],
    ["error", "4", { collection: "a" }],
    ["critical", "5", { collection: "a" }],
  ]);
});
