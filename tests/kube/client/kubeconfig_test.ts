import assert from "node:assert/strict";
import type { ClusterAccess } from "../../../lib/kube/client/credentials.ts";
import { KubeconfigCredentials } from "../../../lib/kube/client/kubeconfig.ts";
import { tempFolder } from "../../support/disk.ts";

interface Parts {
  cluster?: Record<string, unknown>;
  user?: Record<string, unknown>;
  context?: Record<string, unknown>;
  name?: string;
  current?: string | undefined;
}

/** A kubeconfig of one cluster, user and context, all of one name. */
function kubeconfig({ cluster, user, context, name = "test", current = name }: Parts = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: `https://${name}.example:6443/`, ...cluster } }],
    users: [{ name, user: { ...user } }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
    "current-context": current,
  });
}

/** What `load` makes of kubeconfig files with these texts. */
async function load(...texts: string[]): Promise<ClusterAccess> {
  using folder = tempFolder();
  const paths = texts.map((text, index) => {
    const path = `${folder.path}/${index}`;
    Deno.writeTextFileSync(path, text);
    return path;
  });
  return await new KubeconfigCredentials(paths.join(":")).load(false);
}

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

/** Header names in lower case, as they count. */
const headersOf = ({ headers }: ClusterAccess) => Object.fromEntries(new Headers(headers));

Deno.test("load() reads server, namespace and token", async () => {
  const access = await load(kubeconfig({ user: { token: "abc" }, context: { namespace: "team-a" } }));
  assert.deepEqual([access.server, access.namespace], ["https://test.example:6443", "team-a"]);
  assert.deepEqual(headersOf(access), { authorization: "Bearer abc" });
  assert.deepEqual([access.skipTlsVerify, access.caCert, access.cert], [false, undefined, undefined]);
  assert.equal((await load(kubeconfig())).namespace, "default");
});

Deno.test("load() reads a client certificate and a CA that are in the file", async () => {
  const access = await load(kubeconfig({
    cluster: { "certificate-authority-data": base64("the CA") },
    user: { "client-certificate-data": base64("the certificate"), "client-key-data": base64("the key") },
  }));
  assert.deepEqual([access.caCert, access.cert, access.key], ["the CA", "the certificate", "the key"]);
  assert.deepEqual(headersOf(access), {});
});

Deno.test("load() reads a client certificate and a CA in files beside the kubeconfig", async () => {
  using folder = tempFolder();
  const text = kubeconfig({
    cluster: { "certificate-authority": "ca.crt" },
    user: { "client-certificate": "client.crt", "client-key": `${folder.path}/client.key` },
  });
  for (const [name, content] of Object.entries({ config: text, "ca.crt": "A", "client.crt": "B", "client.key": "C" })) {
    await Deno.writeTextFile(`${folder.path}/${name}`, content);
  }
  const { caCert, cert, key } = await new KubeconfigCredentials(`${folder.path}/config`).load(false);
  assert.deepEqual([caCert, cert, key], ["A", "B", "C"]);
});

Deno.test("load() reads a token in a file beside the kubeconfig, anew when it was rejected", async () => {
  using folder = tempFolder();
  const write = (name: string, content: string) => Deno.writeTextFile(`${folder.path}/${name}`, content);
  await write("config", kubeconfig({ user: { token: "loses", tokenFile: "token" } }));
  const credentials = new KubeconfigCredentials(`${folder.path}/config`);
  await assert.rejects(credentials.load(false), { name: "CredentialsError", message: /token/ });
  await write("token", "first\n");
  assert.deepEqual(headersOf(await credentials.load(false)), { authorization: "Bearer first" });
  await write("token", "second\n");
  assert.deepEqual(headersOf(await credentials.load(true)), { authorization: "Bearer second" });
});

Deno.test("load() makes basic auth of user name and password", async () => {
  const access = await load(kubeconfig({ user: { username: "jürgen", password: "p:w" } }));
  assert.deepEqual(headersOf(access), { authorization: `Basic ${base64("jürgen:p:w")}` });
});

Deno.test("load() runs an exec plugin, and again when what it gave was rejected", async () => {
  using folder = tempFolder();
  const plugin = `${folder.path}/plugin`;
  const script = `#!/bin/sh
echo x >> "$1"
n=$(wc -l < "$1")
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
  "status":{"token":"'"$PREFIX$n"'","expirationTimestamp":"2999-01-01T00:00:00Z"}}'
`;
  await Deno.writeTextFile(plugin, script.replace("$n", "$((n))"), { mode: 0o755 });
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: plugin,
    args: [`${folder.path}/runs`],
    env: [{ name: "PREFIX", value: "token-" }],
  };
  await Deno.writeTextFile(`${folder.path}/config`, kubeconfig({ user: { exec } }));
  const credentials = new KubeconfigCredentials(`${folder.path}/config`);
  const tokenAfter = async (rejected: boolean) => headersOf(await credentials.load(rejected)).authorization;
  assert.equal(await tokenAfter(false), "Bearer token-1");
  assert.equal(await tokenAfter(false), "Bearer token-1", "a token that is still good is kept");
  assert.equal(await tokenAfter(true), "Bearer token-2");
});

Deno.test("load() finds an exec plugin beside the kubeconfig", async () => {
  using folder = tempFolder();
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "t" } };
  await Deno.mkdir(`${folder.path}/bin`);
  await Deno.writeTextFile(`${folder.path}/bin/plugin`, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`, {
    mode: 0o755,
  });
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./bin/plugin" };
  await Deno.writeTextFile(`${folder.path}/config`, kubeconfig({ user: { exec } }));
  const access = await new KubeconfigCredentials(`${folder.path}/config`).load(false);
  assert.deepEqual(headersOf(access), { authorization: "Bearer t" });
});

Deno.test("load() says what an exec plugin said when it failed", async () => {
  using folder = tempFolder();
  await Deno.writeTextFile(`${folder.path}/plugin`, "#!/bin/sh\necho please log in >&2\nexit 1\n", { mode: 0o755 });
  const execConfig = (command: string) => kubeconfig({ user: { exec: { command, apiVersion: "v1" } } });
  await assert.rejects(load(execConfig(`${folder.path}/plugin`)), {
    name: "CredentialsError",
    message: /please log in/,
  });
  await assert.rejects(load(execConfig("/nowhere/plugin")), { name: "CredentialsError", message: /nowhere\/plugin/ });
});

Deno.test("load() reads insecure-skip-tls-verify, tls-server-name and proxy-url", async () => {
  const access = await load(kubeconfig({
    cluster: {
      "insecure-skip-tls-verify": true,
      "tls-server-name": "kubernetes.default.svc",
      "proxy-url": "http://proxy.example:3128",
    },
  }));
  assert.deepEqual([access.skipTlsVerify, access.serverName, access.proxy], [
    true,
    "kubernetes.default.svc",
    "http://proxy.example:3128",
  ]);
});

Deno.test("load() takes an http server, such as kubectl proxy is", async () => {
  const { server } = await load(kubeconfig({ cluster: { server: "http://127.0.0.1:8001" } }));
  assert.equal(server, "http://127.0.0.1:8001");
});

Deno.test("load() is without credentials in a context that names no user", async () => {
  assert.deepEqual((await load(kubeconfig({ context: { user: "" } }))).headers, {});
});

Deno.test("load() merges several files, where the first to name a thing wins", async () => {
  const first = kubeconfig({ name: "a", user: { token: "first" }, current: "b" });
  const second = kubeconfig({ name: "b", user: { token: "second" }, current: "a" });
  const third = kubeconfig({ name: "b", user: { token: "third" } });
  const access = await load(first, second, third);
  assert.deepEqual([access.server, headersOf(access).authorization], ["https://b.example:6443", "Bearer second"]);
});

Deno.test("load() passes over files of a list that are empty or not there, but wants one", async () => {
  using folder = tempFolder();
  await Deno.writeTextFile(`${folder.path}/config`, kubeconfig());
  await Deno.writeTextFile(`${folder.path}/empty`, "");
  const paths = `/nowhere/config::${folder.path}/empty:${folder.path}/config`;
  const { server } = await new KubeconfigCredentials(paths).load(false);
  assert.equal(server, "https://test.example:6443");
  for (const paths of ["/nowhere/a:/nowhere/b", "/nowhere/a", ":"]) {
    await assert.rejects(new KubeconfigCredentials(paths).load(false), {
      name: "CredentialsError",
      message: /^kubeconfig/,
    });
  }
});

Deno.test("load() reads a kubeconfig again that was changed, and one that was rejected", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/config`;
  const credentials = new KubeconfigCredentials(path);
  const write = async (token: string, mtime: number) => {
    await Deno.writeTextFile(path, kubeconfig({ user: { token } }));
    await Deno.utime(path, mtime, mtime);
  };
  const tokenAfter = async (rejected: boolean) => headersOf(await credentials.load(rejected)).authorization;
  await write("one", 1000);
  assert.equal(await tokenAfter(false), "Bearer one");
  await write("two", 2000);
  assert.equal(await tokenAfter(false), "Bearer two");
  await write("three", 2000);
  assert.equal(await tokenAfter(true), "Bearer three");
});

Deno.test("load() says what is wrong with a kubeconfig", async () => {
  const cases: [text: string, message: RegExp][] = [
    [kubeconfig({ current: "" }), /^kubeconfig: there is no context ""; set one with kubectl config use-context$/],
    [kubeconfig({ current: "other" }), /^kubeconfig: there is no context "other"; /],
    [kubeconfig({ context: { cluster: "other" } }), /^kubeconfig: context test names no known cluster$/],
    [kubeconfig({ context: { user: "other" } }), /^kubeconfig: context test names no known user$/],
    ["{", /^kubeconfig \S+ cannot be used: ./],
    ["a: [b", /^kubeconfig \S+ cannot be used: ./],
    ["just text", /^kubeconfig/],
    ["", /^kubeconfig/],
    ['{"clusters":[{}]}', /^kubeconfig/],
  ];
  for (const [text, message] of cases) {
    await assert.rejects(load(text), (error) => {
      assert.ok(error instanceof Error && error.name === "CredentialsError", `${text}: ${error}`);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("load() shows nothing of a malformed kubeconfig but what is wrong and where", async () => {
  for (
    const text of ["users:\n- name: a\n  token: geheim: x\n", 'users:\n- token: "geheim\n', "token: geheim\n\tx: y"]
  ) {
    await assert.rejects(load(text), (error) => {
      assert.doesNotMatch(String(error), /geheim|\n/);
      return true;
    });
  }
});

Deno.test("load() says that a kubeconfig cannot be read", async () => {
  using folder = tempFolder();
  await assert.rejects(new KubeconfigCredentials(folder.path).load(false), {
    name: "CredentialsError",
    message: /^kubeconfig \S+ cannot be used: .*director/i,
  });
});
