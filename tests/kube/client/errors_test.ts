import assert from "node:assert/strict";
import { AnswerError, ApiError, CredentialsError, isFinal, isTransient } from "../../../lib/kube/client/errors.ts";
import { TransportError } from "../../../lib/http/transport.ts";

Deno.test("ApiError tells what an answer means for list and watch", () => {
  const table: [status: number, reason: string, message: string, meanings: Partial<ApiError>][] = [
    [410, "", "", { isExpired: true, refusesStreamingList: false, isForbidden: false }],
    [500, "Expired", "", { isExpired: true }],
    [504, "Timeout", "Too large resource version: 9, current: 5", { isAheadOfServer: true, isExpired: false }],
    [504, "Timeout", "timed out", { isAheadOfServer: false }],
    [422, "Invalid", "", { refusesStreamingList: true }],
    [400, "BadRequest", "", { refusesStreamingList: true }],
    [403, "Forbidden", "", { isForbidden: true, refusesStreamingList: false }],
  ];
  for (const [status, reason, message, meanings] of table) {
    const error = new ApiError("GET /x", status, { reason, message });
    for (const [name, value] of Object.entries(meanings)) {
      assert.equal(error[name as keyof ApiError], value, `${name} of ${status} ${reason} ${message}`);
    }
  }
});

Deno.test("ApiError names the request, and takes Retry-After from the head or else from the Status", () => {
  assert.equal(new ApiError("GET /x", 500, undefined).message, "GET /x: HTTP status 500");
  assert.equal(new ApiError("GET /x", 500, { message: "no leader" }).message, "GET /x: no leader");
  assert.equal(new ApiError("", 429, { details: { retryAfterSeconds: 3 } }).retryAfter, 3);
  assert.equal(new ApiError("", 429, { details: { retryAfterSeconds: 3 } }, 7).retryAfter, 7);
});

Deno.test("isTransient() is true of what an API server may answer otherwise to the same request", () => {
  const transient = [401, 408, 429, 500, 502, 503, 504];
  const final = [400, 403, 404, 405, 409, 410, 415, 422];
  const statuses = [...transient, ...final];
  assert.deepEqual(statuses.filter((status) => isTransient(new ApiError("GET /", status, undefined))), transient);
});

Deno.test("isTransient() is true of connections, answers and credentials that fail, and of no bug of ours", () => {
  assert.ok(isTransient(new TransportError("connect", "refused")));
  assert.ok(isTransient(new AnswerError("not JSON")));
  assert.ok(isTransient(new CredentialsError("no token")));
  for (const error of [new TypeError("a bug"), new Error("503"), undefined]) assert.ok(!isTransient(error));
});

Deno.test("isFinal() is true of refusals that a new list would meet again", () => {
  const statuses = [400, 401, 403, 404, 408, 410, 422, 429, 500, 503, 504];
  const final = statuses.filter((status) => isFinal(new ApiError("GET /", status, undefined)));
  assert.deepEqual(final, [400, 403, 404, 422]);
  assert.ok(!isFinal(new ApiError("GET /", 400, { reason: "Expired" })));
  assert.ok(!isFinal(new TransportError("connect", "refused")));
});
