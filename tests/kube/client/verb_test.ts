import assert from "node:assert/strict";
import { verbOf } from "../../../lib/kube/client/verb.ts";

Deno.test("verbOf() is the verb that RBAC knows", () => {
  const cases = [
    ["GET", "/api/v1/configmaps?labelSelector=app&limit=500", "list"],
    ["GET", "/api/v1/namespaces/a/secrets?labelSelector=app", "list"],
    ["GET", "/api/v1/namespaces", "list"],
    ["GET", "/api/v1/configmaps?watch=true&resourceVersion=1", "watch"],
    ["GET", "/api/v1/namespaces/watch/configmaps/watch=true", "get"],
    ["GET", "/api/v1/namespaces/a", "get"],
    ["GET", "/version", "get"],
    ["GET", "/apis/events.k8s.io/v1", "get"],
    ["POST", "/apis/events.k8s.io/v1/namespaces/a/events", "create"],
    ["PATCH", "/api/v1/namespaces/a/configmaps/b", "patch"],
  ] as const;
  for (const [method, path, verb] of cases) assert.equal(verbOf(method, path), verb, `${method} ${path}`);
});
