import assert from "node:assert/strict";
import { logStrayErrors } from "../../lib/cli/stray_errors.ts";
import { keptLog } from "../support/api_gateway.ts";
import { until } from "../support/local_servers.ts";

Deno.test("logStrayErrors() logs a rejection that nobody waits for, and the program goes on", async () => {
  const log = keptLog();
  using _ = logStrayErrors(log);
  void Promise.reject(new Error("nobody waits"));
  await until(() => log.lines.length > 0);
  assert.deepEqual(log.lines, ["error: a bug of the sidecar, which goes on: nobody waits"]);
});

Deno.test("logStrayErrors() logs an error that is thrown where nobody catches it, and the program goes on", async () => {
  const log = keptLog();
  using _ = logStrayErrors(log);
  const target = new EventTarget();
  target.addEventListener("x", () => {
    throw new Error("nobody catches");
  });
  target.dispatchEvent(new Event("x"));
  await until(() => log.lines.length > 0);
  assert.deepEqual(log.lines, ["error: a bug of the sidecar, which goes on: nobody catches"]);
});
