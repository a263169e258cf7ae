import assert from "node:assert/strict";
import { Journal } from "../../../lib/files/journal.ts";
import { pendingIn } from "../../../lib/sidecar/collections/pending_notification.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { tempFolder } from "../../support/disk.ts";

Deno.test("pendingIn() loads what an earlier run did not deliver", () => {
  using folder = tempFolder();
  const open = () => pendingIn(new Journal({ folder: folder.path, id: "id", stateFile: undefined, log: keptLog() }));
  const failure = { type: "failed", attempts: 2, endedAt: 1_000, delay: 20 };
  const first = open();
  assert.deepEqual([first.load(), first.failure()], [undefined, undefined]);
  first.add([`${folder.path}/a`, `${folder.path}/b`]);
  first.failed(failure);
  first.delivered([`${folder.path}/b`]);
  const second = open();
  assert.deepEqual(second.load(), [`${folder.path}/a`]);
  assert.deepEqual(second.failure(), failure);
  second.delivered([`${folder.path}/a`]);
  second.failed(undefined);
  const third = open();
  assert.deepEqual([third.load(), third.failure()], [undefined, undefined]);
});
