import assert from "node:assert/strict";
import { Backlog } from "../../lib/notify/backlog.ts";

const make = () => new Backlog({ quietPeriod: 1, maxWait: 5 });

Deno.test("dueAt is the end of the burst, at the latest maxWait after its beginning", () => {
  const backlog = make();
  assert.deepEqual([backlog.dueAt, backlog.isEmpty], [Infinity, true]);
  backlog.add(["/a"], 100, { isNew: true });
  assert.equal(backlog.dueAt, 1100);
  backlog.add(["/b"], 4900, { isNew: true });
  assert.equal(backlog.dueAt, 5100);
  assert.deepEqual([...backlog.take() ?? []], ["/a", "/b"]);
  assert.deepEqual([backlog.dueAt, backlog.isEmpty], [Infinity, true]);
});

Deno.test("dueAt after a failure is the retry, or sooner when a change may bring it forward", () => {
  for (const [orOnChange, due] of [[true, 3000], [false, 9000]] as const) {
    const backlog = make();
    backlog.failed(["/a"], { at: 9000, orOnChange });
    assert.deepEqual([backlog.dueAt, backlog.isWaiting], [9000, true]);
    backlog.add(["/b"], 2000, { isNew: true });
    assert.deepEqual([backlog.dueAt, backlog.isWaiting], [due, !orOnChange]);
  }
});

Deno.test("dueAt ignores what an earlier run left, which is no change", () => {
  const backlog = make();
  backlog.failed([], { at: 9000, orOnChange: true });
  backlog.add(["/a"], 0, { isNew: false });
  assert.equal(backlog.dueAt, 9000);
  backlog.hurry();
  assert.equal(backlog.dueAt, -Infinity);
});

Deno.test("succeeded() forgets the failure", () => {
  const backlog = make();
  backlog.failed(["/a"], { at: 9000, orOnChange: true });
  backlog.take();
  backlog.succeeded();
  backlog.put(["/b"]);
  assert.deepEqual([backlog.dueAt, backlog.retry, backlog.has("/a"), backlog.has("/b")], [
    -Infinity,
    undefined,
    false,
    true,
  ]);
});

Deno.test("since is the first change that is not delivered, whatever fails meanwhile", () => {
  const backlog = make();
  assert.equal(backlog.since, undefined);
  backlog.add(["/a"], 100, { isNew: true });
  backlog.add(["/b"], 200, { isNew: true });
  const paths = backlog.take() ?? [];
  assert.equal(backlog.since, 100);
  backlog.failed(paths, { at: 9000, orOnChange: true });
  backlog.hurry();
  backlog.take();
  backlog.add(["/c"], 300, { isNew: true });
  assert.equal(backlog.since, 100);
  backlog.succeeded();
  assert.equal(backlog.since, 300);
  backlog.take();
  backlog.succeeded();
  assert.equal(backlog.since, undefined);
});
