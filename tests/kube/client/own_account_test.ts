import assert from "node:assert/strict";
import { ownAccount } from "../../../lib/kube/client/own_account.ts";
import { tempFolder } from "../../support/disk.ts";

const IN_POD = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" };

function account(serviceAccountDir: string, env: Record<string, string> = {}, kubeconfig?: string) {
  const options = { serviceAccountDir, env: { HOME: "/nowhere", ...env }, onWarning: () => {} };
  return ownAccount({ ...options, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
}

/** A token as the API server signs it. */
function token(sub: string): string {
  const part = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url" });
  return `${part({ alg: "RS256" })}.${part({ sub, aud: ["ü"] })}.signature`.replaceAll("=", "");
}

Deno.test("ownAccount() reads the account of the pod from its token", async () => {
  using folder = tempFolder();
  const dir = folder.path;
  await Deno.writeTextFile(`${dir}/token`, token("system:serviceaccount:monitoring:grafana"));
  const fromToken = { namespace: "monitoring", namespaceFrom: `${dir}/token`, name: "grafana" };
  assert.deepEqual(await account(dir, IN_POD), fromToken);
  await Deno.writeTextFile(`${dir}/namespace`, "monitoring\n");
  assert.deepEqual(await account(dir, IN_POD), { ...fromToken, namespaceFrom: `${dir}/namespace` });
});

Deno.test("ownAccount() knows only the namespace when the token tells no account", async () => {
  using folder = tempFolder();
  const dir = folder.path;
  await Deno.writeTextFile(`${dir}/namespace`, "monitoring");
  for (const text of ["opaque", "a.b.c", token("system:node:n1"), token("system:serviceaccount:another:grafana")]) {
    await Deno.writeTextFile(`${dir}/token`, text);
    assert.deepEqual(await account(dir, IN_POD), { namespace: "monitoring", namespaceFrom: `${dir}/namespace` }, text);
  }
});

Deno.test("ownAccount() takes the namespace of the kubeconfig's context outside of a pod", async () => {
  using folder = tempFolder();
  const [first, second] = [`${folder.path}/first`, `${folder.path}/second`];
  await Deno.writeTextFile(first, "current-context: b\ncontexts: [{ name: a, context: { namespace: x } }]\n");
  await Deno.writeTextFile(second, "current-context: a\ncontexts: [{ name: b, context: { namespace: y } }]\n");
  assert.deepEqual(await account("/nowhere", {}, `${first}:${second}:/nowhere/third`), {
    namespace: "y",
    namespaceFrom: second,
  });
  await Deno.mkdir(`${folder.path}/.kube`);
  await Deno.rename(first, `${folder.path}/.kube/config`);
  assert.deepEqual(await account("/nowhere", { HOME: folder.path }), { namespace: "default" });
});

Deno.test("ownAccount() is of the namespace default when no file says another, or a file is broken", async () => {
  using folder = tempFolder();
  assert.deepEqual(await account("/nowhere"), { namespace: "default" });
  for (
    const text of ["", "- 1", "contexts: 1\ncurrent-context: a", "{", "contexts: [{ name: a }]\ncurrent-context: a"]
  ) {
    await Deno.writeTextFile(`${folder.path}/config`, text);
    assert.deepEqual(await account("/nowhere", {}, `${folder.path}/config`), { namespace: "default" }, text);
  }
});
