/** Ways to be let in by the API server, and what happens to a sidecar that is let in only in part. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CertificateAuthority } from "../support/certificates.ts";
import { ADMIN, NOBODY } from "../support/control_plane.ts";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { inClusterAddress, stories, type Story } from "../support/story.ts";
import { TcpGate } from "../support/tcp_gate.ts";

const READER = { name: "reader", token: "reader-token" };
const story = stories({ users: [READER] });

type Fields = Record<string, unknown>;

/** Writes a kubeconfig for the story's control plane; `cluster` and `user` are as in the file. */
async function kubeconfig(at: Story, user: Fields, cluster: Fields = {}): Promise<string> {
  const file = join(at.dir, "kubeconfig");
  const trusted = { server: at.controlPlane.url, "certificate-authority": at.controlPlane.caFile };
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { ...trusted, ...cluster } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  return file;
}

/** Lists once; returns the exit code. */
async function listWith(at: Story, file: string): Promise<number> {
  const sidecar = await at.start({ KUBECONFIG: file, METHOD: "LIST", ERROR_THROTTLE_SLEEP: "0.01" });
  return (await sidecar.exited()).code;
}

story("a kubeconfig with a token lets it in", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.startReady({ KUBECONFIG: await kubeconfig(at, { token: ADMIN.token }) });
  assertFolderEquals(at.folder, { "a.txt": "a" });
  await at.create("Secret", "b", { data: { b: "b" } });
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "a", b: "b" }));
});

story("a kubeconfig with a client certificate lets it in", async (at) => {
  const { certFile, keyFile } = await at.controlPlane.clientCertificate("somebody", "system:masters");
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const user = { "client-certificate": certFile, "client-key-data": btoa(await Deno.readTextFile(keyFile)) };
  await at.startReady({ KUBECONFIG: await kubeconfig(at, user) });
  assertFolderEquals(at.folder, { "a.txt": "a" });
  await at.create("Secret", "b", { data: { b: "b" } });
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "a", b: "b" }));
});

story("a kubeconfig with an exec plugin lets it in", async (at) => {
  const plugin = join(at.dir, "plugin");
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" };
  const status = { ...credential, status: { token: ADMIN.token } };
  await Deno.writeTextFile(plugin, `#!/bin/sh\n[ "$1 $WHO" = "token me" ] && echo '${JSON.stringify(status)}'\n`);
  await Deno.chmod(plugin, 0o755);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const exec = { ...credential, command: plugin, args: ["token"], env: [{ name: "WHO", value: "me" }] };
  assert.equal(await listWith(at, await kubeconfig(at, { exec: { ...exec, interactiveMode: "Never" } })), 0);
  assertFolderEquals(at.folder, { "a.txt": "a" });
});

story("a certificate of nobody we know is refused, unless insecure-skip-tls-verify is set", async (at) => {
  const user = { token: ADMIN.token };
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const unknown = { "certificate-authority": undefined };
  assert.equal(await listWith(at, await kubeconfig(at, user, unknown)), 3);
  assertFolderEquals(at.folder, {});
  assert.equal(await listWith(at, await kubeconfig(at, user, { ...unknown, "insecure-skip-tls-verify": true })), 0);
  assertFolderEquals(at.folder, { "a.txt": "a" });
});

story("a certificate of another name is refused, unless tls-server-name is that name", async (at) => {
  await using gate = new TcpGate(at.controlPlane.url, "127.0.0.2");
  const user = { token: ADMIN.token };
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  assert.equal(await listWith(at, await kubeconfig(at, user, { server: gate.url })), 3);
  const named = { server: gate.url, "tls-server-name": "kubernetes.default.svc" };
  assert.equal(await listWith(at, await kubeconfig(at, user, { ...named, "tls-server-name": "example.com" })), 3);
  assertFolderEquals(at.folder, {});
  assert.equal(await listWith(at, await kubeconfig(at, user, named)), 0);
  assertFolderEquals(at.folder, { "a.txt": "a" });
});

story("a service account token that is replaced on disk is used as soon as the old one is refused", async (at) => {
  const authority = await CertificateAuthority.create(at.dir);
  await authority.serverCertificate("front");
  const tls = {
    cert: await Deno.readTextFile(join(at.dir, "front.crt")),
    key: await Deno.readTextFile(join(at.dir, "front.key")),
  };
  let accepted = "first-token";
  let refusals = 0;
  await using front = serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    if (request.headers.get("authorization") !== `Bearer ${accepted}`) {
      refusals++;
      return Response.json({ kind: "Status", status: "Failure", code: 401, reason: "Unauthorized" }, { status: 401 });
    }
    const answer = await at.controlPlane.fetch(pathname + search);
    return new Response(answer.body, { status: answer.status, headers: { "content-type": "application/json" } });
  }, tls);
  const account = await at.serviceAccount(accepted);
  const directory = account.SERVICE_ACCOUNT_DIR ?? "";
  await Deno.writeTextFile(join(directory, "ca.crt"), authority.pem);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const address = inClusterAddress(`https://127.0.0.1:${front.port}`);
  const sidecar = await at.startReady({ ...account, ...address, WATCH_SERVER_TIMEOUT: "2" });
  assertFolderEquals(at.folder, { "a.txt": "a" });
  assert.equal(refusals, 0);

  // A kubelet, too, puts the new token there by a rename
  await Deno.writeTextFile(join(directory, "token.new"), "second-token");
  await Deno.rename(join(directory, "token.new"), join(directory, "token"));
  accepted = "second-token";
  await eventually(() => assert.ok(refusals > 0));
  await at.create("ConfigMap", "b", { data: { "b.txt": "b" } });
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "a", "b.txt": "b" }));
  assert.ok(refusals <= 2, `${refusals} refusals for two watches`);
  assert.deepEqual(sidecar.findAll(/\b401\b|nauthorized/), []);
  await sidecar.stop();
});

story(
  "without rights on Secrets ConfigMaps go on, readiness says what is missing, and rights given are noticed",
  async (at) => {
    await at.allow(READER.name, { resources: ["configmaps"] });
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    await at.create("ConfigMap", "goes", { data: { "goes.txt": "goes" } });
    await at.create("Secret", "b", { data: { b: "b" } });
    const account = await at.serviceAccount(READER.token);
    const sidecar = await at.start({
      ...account,
      NAMESPACE: at.namespace,
      DEBUG: "true",
      ERROR_THROTTLE_SLEEP: "0.05",
    });
    const refused = /GET .*\/secrets\?(?!.*sendInitialEvents)/;
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "a", "goes.txt": "goes" }));
    await at.change("ConfigMap", "a", { data: { "a.txt": "changed" } });
    await at.delete("ConfigMap", "goes");
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "changed" }));

    await sidecar.logged(refused, { count: 3 });
    for (const path of ["/readyz", "/healthz"]) {
      const { status, text } = await sidecar.health(path);
      assert.equal(status, 503);
      assert.match(text, new RegExp(`not allowed to list secrets in namespace "${at.namespace}"`));
    }
    assert.equal((await sidecar.health("/livez")).status, 200);
    assert.deepEqual(sidecar.lines.filter(({ level }) => level === "ERROR").length, 1);

    await at.allow(READER.name, { resources: ["secrets"] });
    await sidecar.ready();
    assertFolderEquals(at.folder, { "a.txt": "changed", b: "b" });
    assert.equal((await sidecar.health("/healthz")).status, 200);
  },
);

story("RESOURCE_NAME needs no more than RBAC's resourceNames, also with NAMESPACE=ALL", async (at) => {
  await at.allow(READER.name, { resources: ["configmaps"], resourceNames: ["named"] });
  const labels = {};
  await at.create("ConfigMap", "named", { data: { "named.txt": "1" }, labels });
  await at.create("ConfigMap", "another", { data: { "another.txt": "1" }, labels });
  await at.startReady({
    ...await at.serviceAccount(READER.token),
    LABEL: undefined,
    NAMESPACE: "ALL",
    RESOURCE_NAME: `${at.namespace}/configmap/named`,
  });
  assertFolderEquals(at.folder, { "named.txt": "1" });
  await at.change("ConfigMap", "named", { data: { "named.txt": "2" } });
  await eventually(() => assertFolderEquals(at.folder, { "named.txt": "2" }));
  await at.delete("ConfigMap", "named");
  await eventually(() => assertFolderEquals(at.folder, {}));
  await at.create("ConfigMap", "named", { data: { "named.txt": "3" }, labels });
  await eventually(() => assertFolderEquals(at.folder, { "named.txt": "3" }));
});

story("NAMESPACE lists the namespaces that are watched, with rights in these alone", async (at) => {
  const [second, third] = [await at.makeNamespace(`${at.namespace}-2`), await at.makeNamespace(`${at.namespace}-3`)];
  for (const namespace of [at.namespace, second, third]) {
    await at.create("ConfigMap", "a", { data: { [`${namespace}.txt`]: "x" }, namespace });
    if (namespace !== third) await at.allow(READER.name, { resources: ["configmaps", "secrets"] }, namespace);
  }
  const account = await at.serviceAccount(READER.token);
  await at.startReady({ ...account, NAMESPACE: ` ${at.namespace} , ${second}` });
  assertFolderEquals(at.folder, { [`${at.namespace}.txt`]: "x", [`${second}.txt`]: "x" });
  await at.create("Secret", "b", { data: { b: "b" }, namespace: second });
  await eventually(() =>
    assertFolderEquals(at.folder, { [`${at.namespace}.txt`]: "x", [`${second}.txt`]: "x", b: "b" })
  );
});

story("DEFAULTS=kiwigrid watches the ConfigMaps of the pod's own namespace", async (at) => {
  const other = await at.makeNamespace(`${at.namespace}-other`);
  await at.allow(READER.name, { resources: ["configmaps"] });
  await at.create("ConfigMap", "own", { data: { "own.txt": "x" } });
  await at.create("Secret", "own", { data: { secret: "x" } });
  await at.create("ConfigMap", "other", { data: { "other.txt": "x" }, namespace: other });
  const sidecar = await at.startReady({
    ...await at.serviceAccount(READER.token),
    DEFAULTS: "kiwigrid",
    DEBUG: "true",
  });
  assertFolderEquals(at.folder, { "own.txt": "x" });
  const watch = await sidecar.logged(/^GET .*&watch=true.*&resourceVersion=\d/);
  assert.match(watch.msg, /&timeoutSeconds=60&/);
});

story("a token without any rights ends METHOD=LIST with code 3, and says what to do", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const sidecar = await at.start({ ...await at.serviceAccount(NOBODY.token), METHOD: "LIST" });
  assert.deepEqual(await sidecar.exited(), { code: 3, signal: null });
  assertFolderEquals(at.folder, {});
  for (const kind of ["configmaps", "secrets"]) {
    assert.ok(sidecar.find(`not allowed to list ${kind} in all namespaces: give the service account`));
  }
});

story("a CA that is no certificate at the start is one warning until it is, with DEFAULTS=kiwigrid too", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  for (const DEFAULTS of ["kopf", "kiwigrid"]) {
    const account = await at.serviceAccount();
    const file = `${account.SERVICE_ACCOUNT_DIR}/ca.crt`;
    const ca = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, ca.slice(0, ca.length / 2));
    const settings = { DEFAULTS, ...account };
    const sidecar = await at.start(settings);
    await sidecar.logged(/ca\.crt: it contains no whole certificate/);
    assert.equal((await sidecar.health("/livez")).status, 200);
    const once = await at.start({ ...settings, METHOD: "LIST" });
    assert.equal((await once.exited()).code, 3);
    await Deno.writeTextFile(file, ca);
    await sidecar.ready();
    await sidecar.kill9();
  }
});
