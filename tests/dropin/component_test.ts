/** The component for Kustomize, as a Kustomization of `examples/component/` uses it, from a local copy of this repository. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { parseConfig } from "../../lib/config/config.ts";
import { tempFolder } from "../support/disk.ts";
import type { KubernetesObject } from "../support/openapi.ts";
import { assertFolderEquals } from "../support/oracle.ts";
import { stories } from "../support/story.ts";
import { environmentOf, exampleObjects, sidecarsOf } from "../examples/example_files.ts";

const HAS_KUBECTL = await kubectl(["version", "--client"]).then(() => true, () => false);
const REMOTE = "https://github.com/deno-k8s-sidecar/deno-k8s-sidecar//components/sidecar?ref=v0.1.0";
const OTHER = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: other }
spec: { template: { spec: { containers: [{ name: a, image: b }] } } }
`;

const story = stories();

story("a labelled Deployment gets the sidecar, its rights and its volume", async (at) => {
  const { text, objects } = await build(at.namespace);
  const find = (kind: string, name = "k8s-sidecar") =>
    objects.find((object) => object.kind === kind && object.metadata.name.startsWith(name));
  const spec = find("Deployment", "example-component")?.spec.template.spec;
  assert.deepEqual(spec.containers.map(({ name }: { name: string }) => name).sort(), ["application", "k8s-sidecar"]);
  assert.deepEqual(spec.volumes, [{ name: "k8s-sidecar", emptyDir: {} }]);
  assert.equal(spec.serviceAccountName, find("ServiceAccount")?.metadata.name);
  const [subject] = find("RoleBinding")?.subjects ?? [];
  assert.deepEqual(subject, { kind: "ServiceAccount", name: "k8s-sidecar", namespace: at.namespace });
  assert.deepEqual(find("Deployment", "other")?.spec.template.spec.containers, [{ name: "a", image: "b" }]);

  // What the API server would say, but for the Deployment that is no whole one
  const whole = text.split("\n---\n").filter((document) => !document.includes("name: other")).join("\n---\n");
  const answer = await kubectl(["apply", "--dry-run=server", "-f", "-"], whole, await at.controlPlane.kubeconfig());
  assert.match(answer, /deployment.apps\/example-component created \(server dry run\)/);

  // The sidecar, with the environment of the container, beside the example's ConfigMap
  const [container] = sidecarsOf(spec);
  const { name } = (container as unknown as { envFrom: { configMapRef: { name: string } }[] }).envFrom[0]!.configMapRef;
  const env = {
    ...objects.find((object) => object.metadata.name === name)?.data,
    ...environmentOf(container!, at.namespace),
  };
  assert.deepEqual(parseConfig(env).faults, []);
  const page = find("ConfigMap", "example-page")!;
  await at.create("ConfigMap", "example-page", { data: page.data, labels: { "example-config": "true" } });
  const account = await at.serviceAccount(at.controlPlane.adminToken, at.namespace);
  const sidecar = await at.start({ ...env, FOLDER: at.folder, ...account });
  await sidecar.ready();
  assertFolderEquals(at.folder, { "index.html": "<h1>From a ConfigMap</h1>\n" });
}, { ignore: !HAS_KUBECTL });

story("kubectl takes every example in a client-side dry run", async (at) => {
  const kubeconfig = await at.controlPlane.kubeconfig();
  for (const [path, objects] of exampleObjects()) {
    // The Prometheus operator brings these kinds
    if (objects.some(({ apiVersion }) => apiVersion === "monitoring.coreos.com/v1")) continue;
    const file = fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
    // An old API server does not know `restartPolicy` of a container
    const args = path === "deployment-native-sidecar.yaml" ? ["--validate=false"] : [];
    const answer = await kubectl(["apply", "--dry-run=client", ...args, "-f", file], "", kubeconfig);
    assert.equal(answer.match(/ \(dry run\)$/gm)?.length, objects.length, path);
  }
}, { ignore: !HAS_KUBECTL });

/** The example with another Deployment beside it, as Kustomize builds it for a namespace. */
async function build(namespace: string): Promise<{ text: string; objects: KubernetesObject[] }> {
  using folder = tempFolder();
  for (const name of ["components", "examples"]) {
    const source = fileURLToPath(new URL(`../../${name}`, import.meta.url));
    const { success } = await new Deno.Command("cp", { args: ["-r", source, folder.path] }).output();
    assert.ok(success);
  }
  const example = join(folder.path, "examples/component");
  const file = join(example, "kustomization.yaml");
  const kustomization = await Deno.readTextFile(file);
  assert.ok(kustomization.includes(REMOTE));
  await Deno.writeTextFile(join(example, "other.yaml"), OTHER);
  await Deno.writeTextFile(
    file,
    kustomization.replace(REMOTE, "../../components/sidecar").replace("namespace: default", `namespace: ${namespace}`)
      .replace("- page.yaml", "- page.yaml\n  - other.yaml"),
  );
  const text = await kubectl(["kustomize", example]);
  return { text, objects: parseAllDocuments(text).map((document) => document.toJS()) };
}

async function kubectl(args: string[], input = "", kubeconfig = ""): Promise<string> {
  const env = { KUBECONFIG: kubeconfig };
  const child = new Deno.Command("kubectl", { args, env, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
