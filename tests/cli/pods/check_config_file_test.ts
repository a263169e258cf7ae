import assert from "node:assert/strict";
import { checkPods } from "../../../lib/cli/pods/check_pods.ts";

const POD = `
---
kind: Pod
metadata: { name: p }
spec:
  volumes:
    - { name: config, configMap: { name: collections } }
    - { name: files, emptyDir: {} }
  containers:
    - { name: app, volumeMounts: [{ name: files, mountPath: /f }] }
    - name: c
      env:
        - { name: CONFIG_FILE, value: /etc/sidecar/config.yaml }
        - { name: PASSWORD, valueFrom: { secretKeyRef: { name: s, key: k } } }
      volumeMounts: [{ name: config, mountPath: /etc/sidecar }, { name: files, mountPath: /f }]
`;

const CONFIG_MAP = `kind: ConfigMap
metadata: { name: collections }
data:
  config.yaml: |
    version: 1

    collections:
      - name: a
        label: a
        folder: /f/a
        notify: { webhook: { url: "http://h", basicAuth: { username: u, password: { env: PASSWORD } } } }
`;

const places = async (text: string) =>
  (await checkPods(text)).findings.map(({ line, column, text }) => [line, column, text.slice(0, 60)]);

Deno.test("CONFIG_FILE in a ConfigMap of the stream is checked, with references to variables", async () => {
  assert.deepEqual(await checkPods(CONFIG_MAP + POD), { containers: 1, findings: [], unchecked: [] });
  assert.deepEqual((await checkPods((CONFIG_MAP + POD).replace("env: PASSWORD", "env: OTHER"))).findings.length, 1);
});

Deno.test("a variable that CONFIG_FILE refers to may come from envFrom", async () => {
  const unset = (CONFIG_MAP + POD).replace("env: PASSWORD", "env: REQ_PASSWORD");
  assert.deepEqual((await places(unset)).length, 1);
  const more = unset.replace("      env:\n", "      envFrom: [{ secretRef: { name: s } }]\n      env:\n");
  assert.deepEqual(await places(more), []);
});

Deno.test("a fault of CONFIG_FILE has its line and column in the stream", async () => {
  const broken = CONFIG_MAP.replace("label: a", "lable: a");
  assert.deepEqual(await places(broken + POD), [
    [8, 9, "CONFIG_FILE: collections[0]: selects nothing: label, selecto"],
    [9, 9, "CONFIG_FILE: collections[0].lable: unknown key: did you mean"],
  ]);
});

Deno.test("a fault of CONFIG_FILE names its own line where the ConfigMap has no literal block", async () => {
  const json = `kind: ConfigMap\nmetadata: { name: collections }\ndata:\n  config.yaml: '{ "version": 2 }'\n`;
  const [first, ...more] = await checkPods(json + POD).then(({ findings }) => findings);
  assert.deepEqual([first?.line, first?.column, more.length], [4, undefined, 1]);
  assert.match(first!.text, /\(line 1, column \d+ of config\.yaml\)$/);
});

Deno.test("a folder of CONFIG_FILE on no volume is found", async () => {
  assert.deepEqual(await places(CONFIG_MAP.replace("/f/a", "/g") + POD), [
    [24, undefined, 'collection a: folder "/g" is on no volume, so no other contai'.slice(0, 60)],
  ]);
});

Deno.test("a CONFIG_FILE that its ConfigMap does not have is a fault; one in no ConfigMap is not checked", async () => {
  const [fault] = (await checkPods(CONFIG_MAP.replace("config.yaml:", "other.yaml:") + POD)).findings;
  assert.deepEqual([fault?.isFault, fault?.line], [true, 24]);
  assert.match(fault!.text, /the ConfigMap collections has no key for it/);
  const { findings, unchecked } = await checkPods(POD);
  assert.deepEqual([findings, unchecked], [[], [
    "Pod p, container c: CONFIG_FILE is in no ConfigMap of these manifests",
  ]]);
});

Deno.test("CONFIG_FILE is found by items, by subPath and in a projected volume", async () => {
  const faulty = CONFIG_MAP.replace("version: 1", "version: 2");
  const volume = "configMap: { name: collections }";
  const items = "items: [{ key: config.yaml, path: x/y.yaml }]";
  const variants = [
    POD.replace(volume, `configMap: { name: collections, ${items} }`).replace("/config.yaml }", "/x/y.yaml }"),
    POD.replace("mountPath: /etc/sidecar }", "mountPath: /etc/sidecar/config.yaml, subPath: config.yaml }"),
    POD.replace(
      volume,
      "projected: { sources: [{ configMap: { name: other } }, { configMap: { name: collections } }] }",
    ),
  ];
  for (const pod of variants) assert.deepEqual((await places(faulty + pod)).map(([line]) => line), [5], pod);
});
