import assert from "node:assert/strict";
import { AnswerError, ApiError } from "../../../lib/kube/client/errors.ts";
import {
  losesVersion,
  minDelay,
  refusesVersion,
  relistsAtOnce,
  requiresVersionCheck,
} from "../../../lib/kube/watch/retry_policy.ts";
import { ShortWatchError, VersionError } from "../../../lib/kube/watch/watch_errors.ts";
import { TransportError } from "../../../lib/http/transport.ts";

const answer = (status: number, message = "", retryAfter?: number) =>
  new ApiError("GET /", status, { message }, retryAfter);

const EXPIRED = answer(410);
const AHEAD = answer(504, "Too large resource version: 9, current: 5");
const BACKWARDS = new VersionError("5 came after 9");
const CUT = new TransportError("read", "cut");

Deno.test("losesVersion() is true of versions that the server no longer has", () => {
  for (const error of [EXPIRED, AHEAD, BACKWARDS]) assert.ok(losesVersion(error), `${error}`);
  for (const error of [CUT, answer(500), answer(504), answer(403), new AnswerError("x")]) {
    assert.ok(!losesVersion(error), `${error}`);
  }
});

Deno.test("refusesVersion() is false of answers about credentials, RBAC and load", () => {
  const statuses = [400, 401, 403, 404, 410, 422, 429, 500, 503];
  assert.deepEqual(statuses.filter((status) => refusesVersion(answer(status))), [400, 404, 410, 422, 500]);
  assert.ok(!refusesVersion(CUT));
});

Deno.test("requiresVersionCheck() is true unless the API server itself answered", () => {
  for (const error of [CUT, answer(500), answer(502), new AnswerError("html")]) assert.ok(requiresVersionCheck(error));
  for (const error of [EXPIRED, answer(403), answer(429)]) assert.ok(!requiresVersionCheck(error));
});

Deno.test("relistsAtOnce() is true of an expired version that was not listed just now", () => {
  for (const error of [EXPIRED, AHEAD]) {
    assert.ok(relistsAtOnce(error, 1));
    assert.ok(!relistsAtOnce(error, 0.9));
  }
  for (const error of [BACKWARDS, CUT, answer(500)]) assert.ok(!relistsAtOnce(error, 100));
});

Deno.test("minDelay() keeps Retry-After up to five minutes", () => {
  assert.equal(minDelay(answer(503, "", 17), 1), 17);
  assert.equal(minDelay(answer(503, "", 86_400), 1), 300);
});

Deno.test("minDelay() is longer for what only RBAC changes, and a second after a short watch", () => {
  assert.equal(minDelay(answer(403), 1), 8);
  assert.equal(minDelay(answer(403), 10), 30);
  assert.equal(minDelay(new ShortWatchError("x"), 0.1), 1);
  for (const error of [CUT, answer(500), BACKWARDS]) assert.equal(minDelay(error, 1), 0);
});
