import assert from "node:assert/strict";
import { ApiError } from "../../../lib/kube/client/api_error.ts";

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
