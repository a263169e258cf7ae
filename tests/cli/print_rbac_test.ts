import assert from "node:assert/strict";
import { rbacOf } from "../../lib/cli/print_rbac.ts";
import { VERSION } from "../../lib/cli/version.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { parseAllDocuments } from "../../lib/runtime/yaml_library.ts";

const configOf = (env: Record<string, string>) => parseConfig({ LABEL: "a", FOLDER: "/f", ...env }).config;

const ACCOUNT = { namespace: "monitoring", namespaceFrom: "/sa/namespace", name: "grafana" };

Deno.test("rbacOf() prints a Role and its binding, commented with the settings that need them", async () => {
  const env = { NAMESPACE: "true", RESOURCE: "secret", EVENT_LOGGING: "true" };
  assert.equal(
    await rbacOf(configOf(env), ACCOUNT),
    `# The least rights for these settings; made by k8s-sidecar ${VERSION} print-rbac.
# The subject is the service account "grafana" of the namespace monitoring (/sa/namespace).
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: k8s-sidecar-grafana-4dfaacc4
  namespace: "true"
rules:
  # RESOURCE=secret, NAMESPACE
  # RBAC cannot narrow list and watch by label: this allows reading every Secret of the namespace
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get, list, watch]
  # EVENT_LOGGING=true ("" is for API servers older than 1.19)
  - apiGroups: ["", events.k8s.io]
    resources: [events]
    verbs: [create, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: k8s-sidecar-grafana-4dfaacc4
  namespace: "true"
subjects:
  - kind: ServiceAccount
    name: grafana
    namespace: monitoring
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: k8s-sidecar-grafana-4dfaacc4`,
  );
});

Deno.test("rbacOf() says what it had to guess", async () => {
  const text = await rbacOf(configOf({ DEFAULTS: "kiwigrid" }), { namespace: "default" });
  const comments = text.split("\n---")[0]!.replaceAll("\n# ", " ");
  assert.match(comments, /the subject is "default" of the namespace default\. Replace it/);
  assert.match(comments, /own namespace is not known here: "default" stands for it/);
});

Deno.test("rbacOf() says that a ClusterRole would need fewer watches for many namespaces", async () => {
  const namespaces = Array.from({ length: 9 }, (_, index) => `n${index}`);
  const text = await rbacOf(configOf({ NAMESPACE: namespaces.join() }), ACCOUNT);
  assert.match(text, /^# 9 namespaces: the sidecar asks for one watch of the whole cluster first/m);
  assert.equal(text.match(/^kind: Role$/gm)?.length, 9);
});

Deno.test("rbacOf() names the roles of two sidecars with one service account differently", async () => {
  const nameOf = async (env: Record<string, string>) =>
    /name: (k8s-sidecar-\S+)/.exec(await rbacOf(configOf(env), ACCOUNT))?.[1];
  const name = await nameOf({ FOLDER: "/a" });
  assert.notEqual(await nameOf({ FOLDER: "/b" }), name);
  // So that kubectl apply replaces the role
  assert.equal(await nameOf({ FOLDER: "/a", RESOURCE: "secret", EVENT_LOGGING: "true" }), name);
});

Deno.test("rbacOf() prints valid YAML within 100 columns, whatever the names are", async () => {
  const names = Array.from({ length: 40 }, (_, index) => `secret/a-long-name-${index}`).concat("123", "null", "1e3");
  const account = { namespace: "no", namespaceFrom: "/a/very/long/path".repeat(6), name: "007" };
  const text = await rbacOf(
    configOf({ RESOURCE_NAME: names.join(), NAMESPACE: "123,on", FINALIZERS: "true" }),
    account,
  );
  const documents = parseAllDocuments(text).map((document) => document.toJS());
  assert.deepEqual(documents.map(({ kind, metadata: { namespace } }) => [kind, namespace]), [
    ["Role", "123"],
    ["RoleBinding", "123"],
    ["Role", "on"],
    ["RoleBinding", "on"],
  ]);
  assert.deepEqual(documents[1].subjects, [{ kind: "ServiceAccount", name: "007", namespace: "no" }]);
  assert.ok(
    documents[0].rules.every(({ resourceNames }: { resourceNames: unknown[] }) =>
      resourceNames.length > 2 && resourceNames.every((name) => typeof name === "string")
    ),
  );
  assert.deepEqual(text.split("\n").filter((line) => line.length > 100 && !line.includes("/a/very")), []);
});

Deno.test("rbacOf() prints comments only when nothing is selected", async () => {
  const text = await rbacOf(configOf({ NAMESPACE: "a", NAMESPACE_EXCLUDE: "*" }), ACCOUNT);
  assert.match(text, /no rights are needed/);
  assert.deepEqual(text.split("\n").filter((line) => !line.startsWith("#")), []);
});
