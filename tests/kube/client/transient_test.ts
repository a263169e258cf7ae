import assert from "node:assert/strict";
import { AnswerError, ApiError } from "../../../lib/kube/client/api_error.ts";
import { CredentialsError } from "../../../lib/kube/client/credentials.ts";
import { isTransient } from "../../../lib/kube/client/transient.ts";
import { TransportError } from "../../../lib/http/transport.ts";

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
