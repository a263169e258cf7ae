/** The examples against a real API server: what it would take, and the quick start with a sidecar as its pod describes it. */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { type KubernetesObject, OpenApi } from "../support/openapi.ts";
import { stories, type Story } from "../support/story.ts";
import { environmentOf, exampleObjects, podSpecOf, sidecarsOf } from "../examples/example_files.ts";

const story = stories();

const RESOURCES: Record<string, string> = {
  ConfigMap: "configmaps",
  Secret: "secrets",
  Pod: "pods",
  ServiceAccount: "serviceaccounts",
  Namespace: "namespaces",
  Deployment: "deployments",
  Job: "jobs",
  Role: "roles",
  RoleBinding: "rolebindings",
  ClusterRole: "clusterroles",
  ClusterRoleBinding: "clusterrolebindings",
};

/** What is in the examples and newer than the oldest API server that the tests know, 1.20. */
const NEWER_FIELD = ".spec.template.spec.initContainers[0].restartPolicy";

story("every example passes a strict schema check and a server-side dry run", async (at) => {
  const schema = new OpenApi((await at.request("GET", "/openapi/v2")).body);
  for (const [path, objects] of exampleObjects()) {
    for (const object of objects) {
      // The Prometheus operator brings these kinds
      if (object.apiVersion === "monitoring.coreos.com/v1") continue;
      const faults = schema.faults(object);
      const isOldServer = faults.includes(`${NEWER_FIELD} is unknown`);
      assert.deepEqual(faults, isOldServer ? [`${NEWER_FIELD} is unknown`] : [], path);
      await dryRun(at, isOldServer ? withoutNativeSidecars(object) : object);
    }
  }
});

story("the schema check finds what is unknown, missing or of the wrong type", async (at) => {
  const schema = new OpenApi((await at.request("GET", "/openapi/v2")).body);
  const object = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", label: {} },
    spec: {
      containers: [{ image: "a", ports: [{ containerPort: "80" }], livenessProbe: { httpGet: { port: "http" } } }],
    },
  };
  assert.deepEqual(schema.faults(object), [
    ".metadata.label is unknown",
    ".spec.containers[0].name is missing",
    '.spec.containers[0].ports[0].containerPort is "80", not int32',
  ]);
});

story("the quick start: files come, change and go, and the shell beside the sidecar prints them", async (at) => {
  const objects = [...exampleObjects()].filter(([path]) => path.startsWith("quickstart/")).flatMap(([, its]) => its);
  const pod = objects.find(({ kind }) => kind === "Pod");
  const spec = pod && podSpecOf(pod);
  const namespace = pod?.metadata.namespace ?? "";
  const [container] = spec === undefined ? [] : sidecarsOf(spec);
  assert.ok(spec && container);
  for (const object of objects.sort((a, b) => Number(b.kind === "Namespace") - Number(a.kind === "Namespace"))) {
    if (object !== pod) await at.request("POST", pathOf(object), object);
  }
  const FOLDER = at.folder;
  const account = await at.serviceAccount(at.controlPlane.adminToken, namespace);
  const sidecar = await at.start({ ...environmentOf(container, namespace), FOLDER, ...account });
  await sidecar.ready();
  const first = {
    "hello.txt": "Hello from a ConfigMap\n",
    password: "not-a-secret",
    "team-a/team.txt": "Hello from team A\n",
  };
  assertFolderEquals(at.folder, first);
  assert.deepEqual(await printed(), [
    "/files/hello.txt: Hello from a ConfigMap",
    "/files/password: not-a-secret",
    "/files/team-a/team.txt: Hello from team A",
  ]);

  await at.change("ConfigMap", "hello", { data: { "hello.txt": "changed" } }, namespace);
  await at.delete("ConfigMap", "team", namespace);
  await eventually(() => assertFolderEquals(at.folder, { "hello.txt": "changed", password: "not-a-secret" }));
  assert.deepEqual(await printed(), ["/files/hello.txt: changed", "/files/password: not-a-secret"]);

  /** One round of the reader's loop. */
  async function printed(): Promise<string[]> {
    const script = spec?.containers.find(({ name }) => name === "reader")?.command?.at(-1) ?? "";
    const once = script.replaceAll("/files", at.folder).replace("sleep 2", "exit");
    const { stdout } = await new Deno.Command("sh", { args: ["-c", once] }).output();
    const [, ...lines] = new TextDecoder().decode(stdout).trimEnd().replaceAll(at.folder, "/files").split("\n");
    return lines;
  }
});

function pathOf({ apiVersion, kind, metadata: { namespace } }: KubernetesObject): string {
  const resource = RESOURCES[kind];
  assert.ok(resource, `${kind} is new in the examples`);
  const api = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  const isNamespaced = !kind.startsWith("Cluster") && kind !== "Namespace";
  return isNamespaced ? `${api}/namespaces/${namespace ?? "default"}/${resource}` : `${api}/${resource}`;
}

/** The namespace need not be there: another takes its place. */
async function dryRun(at: Story, object: KubernetesObject): Promise<void> {
  const { namespace } = object.metadata;
  const metadata = namespace === undefined ? object.metadata : { ...object.metadata, namespace: at.namespace };
  const moved = { ...object, metadata };
  await at.request("POST", `${pathOf(moved)}?dryRun=All`, moved);
}

/** As an API server before 1.28 can take it: what it says of a native sidecar but for its being one. */
function withoutNativeSidecars(object: KubernetesObject): KubernetesObject {
  const copy = structuredClone(object);
  const spec = podSpecOf(copy);
  assert.ok(spec);
  const [native = [], others] = [spec.initContainers, spec.containers];
  delete spec.initContainers;
  spec.containers = [...native.map(({ restartPolicy: _native, ...container }) => container), ...others];
  return copy;
}
