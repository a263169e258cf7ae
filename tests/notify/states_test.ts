import assert from "node:assert/strict";
import { States } from "../../lib/notify/states.ts";
import { keptLog } from "../support/api_gateway.ts";

Deno.test("tell() logs each state once until it is over", () => {
  const log = keptLog();
  const states = new States(log);
  assert.equal(states.clear(), false);
  states.report("warn", "a", "a 1");
  states.report("error", "b", "b 1");
  states.report("warn", "a", "a 2");
  assert.equal(states.clear({ except: ["a"] }), true);
  states.report("warn", "a", "a 3");
  states.report("error", "b", "b 2");
  assert.deepEqual(log.lines, ["warn: a 1", "error: b 1", "debug: a 2", "debug: a 3", "error: b 2"]);
});
