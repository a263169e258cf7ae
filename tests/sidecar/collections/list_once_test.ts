import assert from "node:assert/strict";
import { listOnce, type Outcome } from "../../../lib/sidecar/collections/list_once.ts";
import type { ListOutcome } from "../../../lib/sidecar/collections/list_outcome.ts";
import { keptLog } from "../../support/api_gateway.ts";

/** Each collection has two files. */
async function list(...outcomes: Partial<ListOutcome>[]): Promise<{ outcome: Outcome; lines: string[] }> {
  const log = keptLog();
  const collections = {
    list: () =>
      Promise.resolve(
        outcomes.map((outcome) => ({ apiFailures: [], fileFailures: [], files: 2, refused: 0, ...outcome })),
      ),
  };
  return { outcome: await listOnce(collections, log, new AbortController().signal), lines: log.lines };
}

Deno.test("listOnce() is done when the objects alone are at fault", async () => {
  assert.deepEqual(await list({}, {}), {
    outcome: "done",
    lines: ["info: List complete, all files are in place."],
  });
  assert.deepEqual(await list({ refused: 1 }, { refused: 2 }), {
    outcome: "done",
    lines: [
      "warn: List complete: 4 files are in place; 3 objects were refused in whole or in part, see the errors above",
    ],
  });
});

Deno.test("listOnce() says which collection lacks something", async () => {
  const log = keptLog();
  const outcome = { apiFailures: ["away"], fileFailures: ["full"], files: 0, refused: 0 };
  const collections = { list: () => Promise.resolve([{ ...outcome, collection: "one" }, outcome]) };
  await listOnce(collections, log, new AbortController().signal);
  assert.deepEqual(log.properties.slice(0, 4), [{ collection: "one" }, {}, { collection: "one" }, {}]);
});

Deno.test("listOnce() blames the API before the disk, and names every failure", async () => {
  assert.deepEqual(await list({ fileFailures: ["full"] }, { apiFailures: ["away"] }), {
    outcome: "apiFailed",
    lines: [
      "error: incomplete: away",
      "error: incomplete: full",
      "error: List incomplete, not all objects could be read: 4 files are in place",
    ],
  });
  assert.deepEqual(await list({ fileFailures: ["full"], refused: 1, files: 1 }), {
    outcome: "filesFailed",
    lines: [
      "error: incomplete: full",
      "error: List incomplete, not all files could be written: 1 file is in place; " +
      "1 object was refused in whole or in part, see the errors above",
    ],
  });
});
