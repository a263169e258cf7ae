import assert from "node:assert/strict";
import { CredentialsError } from "../../../lib/kube/client/errors.ts";
import { findCredentials } from "../../../lib/kube/client/find_credentials.ts";
import { plainCredentials } from "../../../lib/kube/client/plain_credentials.ts";
import { given } from "../../../lib/runtime/given.ts";
import { type Folder, tempFolder } from "../../support/disk.ts";

const POD = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

/** A folder as the kubelet mounts it. */
function serviceAccount(files: Record<string, string> = {}): Folder {
  const folder = tempFolder();
  const all = { token: "first\n", "ca.crt": "the CA", namespace: "team-a\n", ...files };
  for (const [name, text] of Object.entries(all)) Deno.writeTextFileSync(`${folder.path}/${name}`, text);
  return folder;
}

function find(serviceAccountDir: string, env: Record<string, string> = POD, kubeconfig?: string) {
  return findCredentials({ serviceAccountDir, env, ...given("kubeconfig", kubeconfig), onWarning: assert.fail });
}

Deno.test("findCredentials() reads a service account in a pod", async () => {
  using folder = serviceAccount();
  const credentials = await find(folder.path);
  assert.equal(credentials.maxAge, 60);
  assert.deepEqual(await credentials.load(false), {
    server: "https://10.96.0.1:443",
    namespace: "team-a",
    headers: { authorization: "Bearer first" },
    caCert: "the CA",
    certOrigin: `${folder.path}/ca.crt`,
    skipTlsVerify: false,
  });
});

Deno.test("findCredentials() puts an IPv6 address in brackets", async () => {
  using folder = serviceAccount();
  const credentials = await find(folder.path, { ...POD, KUBERNETES_SERVICE_HOST: "fd00:10:96::1" });
  const { server } = await credentials.load(false);
  assert.equal(server, "https://[fd00:10:96::1]:443");
  assert.equal(new URL(server).hostname, "[fd00:10:96::1]");
});

Deno.test("load() reads a token and a CA that were replaced, also where files are links that change", async () => {
  using folder = serviceAccount();
  await Deno.mkdir(`${folder.path}/..one`);
  await Deno.writeTextFile(`${folder.path}/..one/token`, "linked");
  const credentials = await find(folder.path);
  await credentials.load(false);
  await Deno.writeTextFile(`${folder.path}/ca.crt`, "new CA");
  await Deno.remove(`${folder.path}/token`);
  await Deno.symlink("..one/token", `${folder.path}/token`);
  const { headers, caCert } = await credentials.load(false);
  assert.deepEqual([headers.authorization, caCert], ["Bearer linked", "new CA"]);
});

Deno.test("load() takes the namespace default where the service account names none", async () => {
  using folder = serviceAccount({ namespace: "" });
  const credentials = await find(folder.path);
  assert.equal((await credentials.load(false)).namespace, "default");
  await Deno.remove(`${folder.path}/namespace`);
  assert.equal((await credentials.load(false)).namespace, "default");
});

Deno.test("load() names the file that is missing or empty", async () => {
  using folder = serviceAccount();
  const credentials = await find(folder.path);
  await Deno.writeTextFile(`${folder.path}/token`, "\n");
  await assert.rejects(credentials.load(true), {
    name: "CredentialsError",
    message: `${folder.path}/token is empty: the service account has no token`,
  });
  await Deno.writeTextFile(`${folder.path}/token`, "again");
  await Deno.remove(`${folder.path}/ca.crt`);
  await assert.rejects(credentials.load(true), (error) => {
    assert.ok(error instanceof CredentialsError && error.cause instanceof Deno.errors.NotFound);
    assert.ok(error.message.startsWith(`cannot read ${folder.path}/ca.crt: `), error.message);
    return true;
  });
});

Deno.test("findCredentials() says why there are no credentials", async () => {
  using empty = tempFolder();
  const home = { HOME: empty.path };
  await assert.rejects(find(empty.path, home), {
    name: "CredentialsError",
    message: `no credentials for the API server: KUBECONFIG is not set, there is no ${empty.path}/.kube/config, and ` +
      "this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)",
  });
  await assert.rejects(find(empty.path, { ...home, ...POD }), {
    name: "CredentialsError",
    message: `no credentials for the API server: KUBECONFIG is not set, there is no ${empty.path}/.kube/config, and ` +
      `no service account token at ${empty.path}/token (is automountServiceAccountToken off?)`,
  });
});

function writeKubeconfig(path: string, server: string): Promise<void> {
  return Deno.writeTextFile(
    path,
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server } }],
      users: [],
      contexts: [{ name: "c", context: { cluster: "c" } }],
      "current-context": "c",
    }),
  );
}

Deno.test("findCredentials() takes KUBECONFIG first, then the service account, then ~/.kube/config", async () => {
  using folder = serviceAccount();
  await Deno.mkdir(`${folder.path}/.kube`);
  await writeKubeconfig(`${folder.path}/kubeconfig`, "http://kubeconfig");
  await writeKubeconfig(`${folder.path}/.kube/config`, "http://home");
  const env = { ...POD, HOME: folder.path };
  const serverOf = async (...args: Parameters<typeof find>) => (await (await find(...args)).load(false)).server;
  assert.equal(await serverOf(folder.path, env, `${folder.path}/kubeconfig`), "http://kubeconfig");
  assert.equal(await serverOf(folder.path, env, "~/kubeconfig"), "http://kubeconfig");
  assert.equal(await serverOf(folder.path, env, "~/missing:~/kubeconfig"), "http://kubeconfig");
  assert.equal(await serverOf(folder.path, env), "https://10.96.0.1:443");
  assert.equal(await serverOf(`${folder.path}/none`, env), "http://home");
  assert.equal(await serverOf(folder.path, { HOME: folder.path }), "http://home");
});

Deno.test("findCredentials() takes a service account in place of a KUBECONFIG that is missing", async () => {
  using folder = serviceAccount();
  for (const kubeconfig of ["/nowhere/config", "/nowhere/a:/nowhere/b", `${folder.path}/token/config`, ":"]) {
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const options = { serviceAccountDir: folder.path, env: POD, kubeconfig, onWarning };
    const { server } = await (await findCredentials(options)).load(false);
    assert.equal(server, "https://10.96.0.1:443");
    assert.deepEqual(warnings, [
      `KUBECONFIG="${kubeconfig}": no such file, so the service account in ${folder.path} is used`,
    ]);
  }
  const withoutPod = await find(folder.path, {}, "/nowhere/config");
  await assert.rejects(withoutPod.load(false), { name: "CredentialsError" });
});

Deno.test("findCredentials() skips the missing files of a KUBECONFIG list, as kubectl does", async () => {
  using folder = serviceAccount();
  await writeKubeconfig(`${folder.path}/config`, "http://listed");
  const credentials = await find(folder.path, POD, `/nowhere/config:${folder.path}/config`);
  assert.equal((await credentials.load(false)).server, "http://listed");
});

Deno.test("plainCredentials() are an address and perhaps a token", async () => {
  assert.deepEqual(await plainCredentials("http://127.0.0.1:1", "token").load(false), {
    server: "http://127.0.0.1:1",
    namespace: "default",
    headers: { authorization: "Bearer token" },
    skipTlsVerify: false,
  });
  assert.deepEqual((await plainCredentials("http://127.0.0.1:1").load(true)).headers, {});
});
