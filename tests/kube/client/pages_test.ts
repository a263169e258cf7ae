import assert from "node:assert/strict";
import { ApiError } from "../../../lib/kube/client/errors.ts";
import { FIRST_PAGE, nextPage, restartedList } from "../../../lib/kube/client/pages.ts";

const expired = new ApiError("GET /", 410, undefined);

Deno.test("nextPage() continues the list until it is complete", () => {
  assert.deepEqual(nextPage({ resourceVersion: "7", continue: "more" }), { ...FIRST_PAGE, continue: "more" });
  assert.equal(nextPage({ resourceVersion: "7" }), undefined);
});

Deno.test("restartedList() asks for one page after an expired continue", () => {
  assert.deepEqual(restartedList({ limit: 500, continue: "more" }, expired), {});
});

Deno.test("restartedList() leaves other errors and first pages alone", () => {
  assert.equal(restartedList(FIRST_PAGE, expired), undefined);
  assert.equal(restartedList({ limit: 500, continue: "more" }, new ApiError("GET /", 500, undefined)), undefined);
});
