import assert from "node:assert/strict";
import { readPlainKubeconfig } from "../../../lib/kube/client/plain_kubeconfig.ts";
import { tempFolder } from "../../support/disk.ts";

const SERVER = "https://example:6443";

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

/** A kubeconfig in YAML, whose cluster and user have these lines. */
function kubeconfig(cluster: readonly string[], user: readonly string[], current = "a"): string {
  return `# made by hand
apiVersion: v1
kind: Config
current-context: ${current}
contexts:
- name: a
  context: { cluster: c, user: u, namespace: team }
clusters:
- name: c
  cluster:
    server: ${SERVER}/
${cluster.map((line) => `    ${line}\n`).join("")}users:
- name: u
  user:
    ${user.length === 0 ? "{}" : user.join("\n    ")}
`;
}

async function read(text: string) {
  using folder = tempFolder();
  const path = `${folder.path}/config`;
  Deno.writeTextFileSync(path, text);
  Deno.writeTextFileSync(`${folder.path}/ca.crt`, "CA of a file");
  return await readPlainKubeconfig([path]);
}

Deno.test("readPlainKubeconfig() reads a token", async () => {
  assert.deepEqual(await read(kubeconfig([], ["token: abc"])), {
    server: SERVER,
    namespace: "team",
    headers: { authorization: "Bearer abc" },
    skipTlsVerify: false,
  });
});

Deno.test("readPlainKubeconfig() reads certificates in it and in files beside it", async () => {
  const data = (field: string, text: string) => `${field}-data: ${base64(text)}`;
  const access = await read(
    kubeconfig([data("certificate-authority", "CA")], [data("client-certificate", "CERT"), data("client-key", "KEY")]),
  );
  assert.deepEqual([access?.caCert, access?.cert, access?.key], ["CA", "CERT", "KEY"]);
  assert.deepEqual(access?.headers, {});
  const inFile = await read(kubeconfig(["certificate-authority: ca.crt"], []));
  assert.equal(inFile?.caCert, "CA of a file");
  assert.match(inFile?.certOrigin ?? "", /\/ca\.crt$/);
});

Deno.test("readPlainKubeconfig() leaves everything else to the library", async () => {
  const cases: Record<string, string> = {
    "an exec plugin": kubeconfig([], ["exec: { command: aws }"]),
    "a token beside an auth provider": kubeconfig([], ["token: abc", "auth-provider: { name: oidc }"]),
    "a token file": kubeconfig([], ["tokenFile: token"]),
    "a password": kubeconfig([], ["username: a", "password: b"]),
    "a proxy": kubeconfig(["proxy-url: http://proxy:3128"], []),
    "a name for TLS": kubeconfig(["tls-server-name: other"], []),
    "a CA twice": kubeconfig(["certificate-authority: ca.crt", `certificate-authority-data: ${base64("CA")}`], []),
    "a CA that is not base64": kubeconfig(["certificate-authority-data: '***'"], []),
    "a number as token": kubeconfig([], ["token: 123"]),
    "no such context": kubeconfig([], ["token: abc"], "b"),
    "broken YAML": "a: [b",
    "a list": "- a",
    "nothing": "",
  };
  for (const [what, text] of Object.entries(cases)) assert.equal(await read(text), undefined, what);
  assert.equal(await readPlainKubeconfig(["/nowhere"]), undefined);
  assert.equal(await readPlainKubeconfig(["/a", "/b"]), undefined);
});
