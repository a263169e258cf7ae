import assert from "node:assert/strict";
import { type CheckedPods, checkPods } from "../../../lib/cli/pods/check_pods.ts";

const root = new URL("../../../", import.meta.url);

type Fields = Record<string, unknown>;

interface PodOptions {
  /** Of the sidecar. */
  fields?: Fields;
  /** Other containers; default: one that mounts the volume. */
  others?: Fields[];
  /** Of the pod. */
  pod?: Fields;
  asInit?: boolean;
}

const MOUNT = { name: "files", mountPath: "/files" };

/** A Deployment with a sidecar that has no faults but those of the options. */
function deployment(env: Fields[], { fields, others, pod, asInit = false }: PodOptions = {}): string {
  const sidecar = { name: "sidecar", image: "example/any:1", env, volumeMounts: [MOUNT], ...fields };
  const rest = others ?? [{ name: "app", volumeMounts: [MOUNT] }];
  const containers = asInit ? { initContainers: [sidecar], containers: rest } : { containers: [sidecar, ...rest] };
  const spec = { volumes: [{ name: "files", emptyDir: {} }], ...containers, ...pod };
  return JSON.stringify({ kind: "Deployment", metadata: { name: "d" }, spec: { template: { spec } } });
}

const variable = (name: string, value: unknown) => ({ name, value });
const reference = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: "s", key: "k" } } });
const LABEL = variable("LABEL", "app");
const FOLDER = variable("FOLDER", "/files");

const describe = ({ findings }: CheckedPods) =>
  findings.map(({ isFault, text }) => `${isFault ? "fault" : "warning"}: ${text}`);

/** Faults and warnings in order. */
async function check(...args: Parameters<typeof deployment>): Promise<string[]> {
  const checked = await checkPods(deployment(...args));
  assert.equal(checked.containers, 1);
  return describe(checked);
}

async function assertFinds(expected: RegExp[], ...args: Parameters<typeof deployment>): Promise<void> {
  const found = await check(...args);
  assert.equal(found.length, expected.length, found.join("\n"));
  for (const [index, line] of expected.entries()) assert.match(found[index]!, line);
}

Deno.test("checkPods() finds no fault in the examples", async () => {
  const examples = [
    ...[
      "deployment-init",
      "deployment-native-sidecar",
      "deployment-sidecar",
      "remove-finalizers-job",
      "quickstart/pod",
    ],
  ];
  for (const name of examples) {
    const checked = await checkPods(await Deno.readTextFile(new URL(`examples/${name}.yaml`, root)));
    assert.deepEqual([checked.containers, describe(checked)], [1, []], name);
  }
});

Deno.test("checkPods() finds pods in every kind of workload and in lists", async () => {
  const text = `# Source: chart/templates/a.yaml
kind: Pod
metadata: { name: a }
spec: &spec
  containers: [{ name: c, env: [{ name: LABEL, value: a b }, { name: FOLDER, value: /f }] }]
---
kind: DaemonSet
metadata: { name: b }
spec: { template: { spec: { initContainers: [{ name: i }], containers: [{ name: c, env: [{ name: CONFIG_FILE, value: "" }] }] } } }
---
---
kind: CronJob
metadata: { name: c }
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: c
              env:
                - name: RESOURCE_NAME
                  value: "a b"
                - name: FOLDER
                  value: /f
---
kind: List
items:
  - kind: StatefulSet
    metadata: { name: d }
    spec:
      volumeClaimTemplates: [{ metadata: { name: claim } }]
      template:
        spec:
          containers:
            - name: c
              volumeMounts: [{ name: claim, mountPath: /f }]
              env:
                - { name: LABEL, value: a }
                - { name: FOLDER, value: /f }
                - { name: METHOD, value: POLL }
`;
  const { containers, findings } = await checkPods(text);
  assert.equal(containers, 3);
  const faults = findings.filter(({ isFault }) => isFault).map((
    { line, where, text },
  ) => [line, where, text.slice(0, 9)]);
  assert.deepEqual(faults, [
    [5, "Pod a, container c", 'LABEL="a '],
    [22, "CronJob c, container c", "RESOURCE_"],
    [41, "StatefulSet d, container c", 'METHOD="P'],
  ]);
});

Deno.test("checkPods() reports a broken document and reads the others", async () => {
  const { containers, findings } = await checkPods(`a: [\n---\n${deployment([LABEL, FOLDER])}\n---\nb: *nothing\n`);
  assert.equal(containers, 1);
  assert.deepEqual(findings.map(({ isFault, where }) => [isFault, where]), [[true, ""], [true, ""]]);
  assert.match(findings[0]!.text, /^not valid YAML: /);
  for (
    const text of ["", "- 1", "kind: Pod", "kind: Pod\nspec: 1", "kind: Pod\nspec: { containers: [1, { env: 1 }] }"]
  ) {
    assert.deepEqual(await checkPods(text), { containers: 0, findings: [], unchecked: [] }, text);
  }
});

Deno.test("checkPods() takes references as set, with an unknown value", async () => {
  await assertFinds([], [
    ...["LABEL", "FOLDER", "NAMESPACE", "REQ_URL", "REQ_USERNAME", "REQ_TIMEOUT", "METHOD", "SCRIPT"].map(reference),
  ]);
  const password = [variable("REQ_URL", "http://localhost"), variable("REQ_USERNAME", "u"), reference("REQ_PASSWORD")];
  await assertFinds([], [LABEL, FOLDER, ...password]);
  await assertFinds([/warning: REQ_USERNAME is set without REQ_PASSWORD/], [LABEL, FOLDER, ...password.slice(0, 2)]);
  await assertFinds([], [LABEL, FOLDER, reference("NAMESPACE"), variable("NAMESPACE_SELECTOR", "a")]);
  const image = { image: "ghcr.io/deno-k8s-sidecar/deno-k8s-sidecar:0.1.0" };
  await assertFinds([], [LABEL], { fields: { ...image, envFrom: [{ configMapRef: { name: "c" } }] } });
  await assertFinds([/fault: FOLDER is required/], [LABEL], { fields: image });
});

Deno.test("checkPods() replaces $(NAME) as the kubelet does, and the last of two variables wins", async () => {
  const expanded = [variable("A", "b c"), variable("LABEL", "$(A)"), variable("LABEL_VALUE", "$$(A)")];
  await assertFinds([/LABEL="b c"/, /LABEL_VALUE="\$\(A\)"/], [...expanded, FOLDER]);
  await assertFinds([], [reference("A"), variable("LABEL", "$(A) b"), FOLDER]);
  await assertFinds([], [variable("LABEL", "a b"), LABEL, FOLDER]);
  await assertFinds([/fault: HEALTH_PORT: the value must be text/], [LABEL, FOLDER, variable("HEALTH_PORT", 8081)]);
});

Deno.test("checkPods() uses kiwigrid's defaults for an image whose tag ends in -kiwigrid", async () => {
  const env = [LABEL, FOLDER, variable("SLEEP_TIME", "often")];
  await assertFinds([/fault: SLEEP_TIME="often"/], env);
  for (const tag of ["0.1.0-kiwigrid", "latest-kiwigrid-debug", "0.1-kiwigrid@sha256:00"]) {
    await assertFinds([/warning: SLEEP_TIME="often"/], env, { fields: { image: `ghcr.io/a/k8s-sidecar:${tag}` } });
  }
  const fields = { image: "quay.io/kiwigrid/k8s-sidecar:2.11.2" };
  await assertFinds([/warning: the image is kiwigrid's: set DEFAULTS=kiwigrid/], [LABEL, FOLDER], { fields });
  await assertFinds([], [LABEL, FOLDER, variable("DEFAULTS", "kiwigrid")], { fields });
});

Deno.test("checkPods() reads the arguments of the program", async () => {
  await assertFinds([/fault: "--verbos" is not a valid argument/], [LABEL, FOLDER], { fields: { args: ["--verbos"] } });
  await assertFinds([], [LABEL, FOLDER], { fields: { args: ["--anything"], command: ["sh"] } });
  const fields = { image: "a/k8s-sidecar:1", args: ["healthcheck"] };
  assert.equal((await checkPods(deployment([LABEL], { fields }))).containers, 0);
});

Deno.test("checkPods() finds a FOLDER that is on no volume, or on one that nobody else reads", async () => {
  const nowhere = [LABEL, variable("FOLDER", "/filesystem")];
  await assertFinds([/warning: FOLDER="\/filesystem" is on no volume, so no other container/], nowhere);
  const readOnly = { securityContext: { readOnlyRootFilesystem: true } };
  await assertFinds([/fault: .*on no volume, and the root file system is read-only/], nowhere, { fields: readOnly });
  const alone = { others: [{ name: "app" }] };
  await assertFinds([/warning: .*no other container mounts the volume "files"/], [LABEL, FOLDER], alone);
  const pod = { volumes: [{ name: "files", persistentVolumeClaim: { claimName: "c" } }] };
  await assertFinds([], [LABEL, FOLDER], { ...alone, pod });
});

Deno.test("checkPods() finds volumes that are missing or cannot be written", async () => {
  await assertFinds([/fault: the volume "files" is mounted, but the pod has no such volume/], [LABEL, FOLDER], {
    pod: { volumes: [] },
  });
  const volumeMounts = [{ ...MOUNT, readOnly: true }];
  await assertFinds([/fault: .*mounted readOnly/], [LABEL, FOLDER], { fields: { volumeMounts } });
  const pod = { volumes: [{ name: "files", configMap: { name: "c" } }] };
  await assertFinds([/fault: .*on a configMap volume, which is read-only/], [LABEL, FOLDER], { pod });
});

Deno.test("checkPods() finds probes that ask another port, and ports that two containers want", async () => {
  const ask = (port: unknown) => ({ readinessProbe: { httpGet: { path: "/readyz", port } } });
  const port = variable("HEALTH_PORT", "8081");
  await assertFinds([/warning: readinessProbe asks port 8080, but HEALTH_PORT is 8081/], [LABEL, FOLDER, port], {
    fields: ask(8080),
  });
  const named = { ...ask("health"), ports: [{ name: "health", containerPort: 8081 }] };
  await assertFinds([], [LABEL, FOLDER, port], { fields: named });
  await assertFinds([/fault: readinessProbe asks the port "helth"/], [LABEL, FOLDER, port], { fields: ask("helth") });
  await assertFinds([/warning: readinessProbe gets no answer/], [LABEL, FOLDER, variable("LIVENESS", "false")], {
    fields: ask(8080),
  });
  await assertFinds([], [LABEL, FOLDER, reference("HEALTH_PORT")], { fields: ask(9000) });
  const others = [{ name: "app", volumeMounts: [MOUNT], ports: [{ containerPort: 8080 }] }];
  await assertFinds([/warning: HEALTH_PORT=8080: the container app has the same port/], [LABEL, FOLDER], { others });
});

Deno.test("checkPods() finds a METHOD that does not suit the container", async () => {
  await assertFinds([/fault: an init container with METHOD=WATCH never ends/], [LABEL, FOLDER], { asInit: true });
  const native = { asInit: true, fields: { restartPolicy: "Always" } };
  await assertFinds([], [LABEL, FOLDER], native);
  const list = [LABEL, FOLDER, variable("METHOD", "LIST")];
  await assertFinds([], list, { asInit: true });
  await assertFinds([/warning: METHOD=LIST ends/], list);
  await assertFinds([], list, { pod: { restartPolicy: "OnFailure" } });
});
