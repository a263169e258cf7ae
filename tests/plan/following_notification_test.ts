import assert from "node:assert/strict";
import { followingNotification } from "../../lib/plan/following_notification.ts";
import type { NotificationStatus, Status } from "../../lib/serve/status.ts";

const TO = "POST http://app/reload";
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;

function call(
  second: number,
  result: "delivered" | "failed",
  rest: Partial<NotificationStatus> = {},
): NotificationStatus {
  return {
    at: at(second),
    collection: "web",
    kind: "webhook",
    to: TO,
    result,
    detail: "",
    seconds: 0,
    files: 1,
    ...rest,
  };
}

/** About a file that was written in second 10. */
function following(
  notifications: NotificationStatus[],
  { pending = false, startedAt = at(0) } = {},
): string | undefined {
  const notification = { kind: "webhook", to: TO, pending };
  const status = { collections: [{ name: "web", notification }], notifications: notifications.toReversed(), startedAt };
  const found = followingNotification({ collection: "web", writtenAt: at(10) }, status as unknown as Status);
  return found &&
    [found.kind, found.result, ...found.at === undefined ? [] : [Number(found.at.slice(17, 19))]].join(" ");
}

Deno.test("followingNotification() is the call that was delivered, after calls that failed", () => {
  assert.equal(following([call(5, "delivered"), call(11, "failed"), call(20, "delivered")]), "webhook delivered 20");
});

Deno.test("followingNotification() is not a later call for other files", () => {
  assert.equal(following([call(11, "delivered"), call(20, "failed")]), "webhook delivered 11");
});

Deno.test("followingNotification() is the last call that failed until one is delivered", () => {
  assert.equal(following([call(11, "failed"), call(20, "failed")], { pending: true }), "webhook failed 20");
});

Deno.test("followingNotification() began after the file was written", () => {
  const early = call(15, "delivered", { seconds: 8 });
  assert.equal(following([early], { pending: true }), "webhook pending");
  assert.equal(following([early]), undefined);
});

Deno.test("followingNotification() is unknown where an earlier run may have told of the file", () => {
  assert.equal(following([call(20, "failed")], { startedAt: at(15) }), undefined);
  assert.equal(following([call(20, "failed")], { startedAt: at(15), pending: true }), "webhook pending");
});

Deno.test("followingNotification() is unknown where calls are no longer kept", () => {
  assert.equal(following(Array.from({ length: 50 }, () => call(20, "failed"))), undefined);
});

Deno.test("followingNotification() of a script and a webhook is the one that fails", () => {
  const script = call(11, "delivered", { kind: "script", to: "/reload.sh" });
  assert.equal(following([script, call(12, "failed")]), "webhook failed 12");
  assert.equal(following([{ ...script, result: "failed" }, call(12, "delivered")]), "script failed 11");
  assert.equal(following([script, call(12, "delivered")]), "webhook delivered 12");
});
