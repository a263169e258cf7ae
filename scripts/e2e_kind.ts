/**
 * The quick start on a kind cluster, with the image built from this tree: files come, change and go, as the shell beside the
 * sidecar sees them. Needs docker, kind and kubectl, whose current context is the cluster.
 */
import { parseAllDocuments } from "yaml";
import { VERSION } from "../lib/cli/version.ts";

const IMAGE = `ghcr.io/deno-k8s-sidecar/deno-k8s-sidecar:${VERSION}`;
const NAMESPACE = "sidecar-quickstart";
const TIMEOUT = 60_000;

const root = new URL("../", import.meta.url).pathname;
const quickstart = `${root}examples/quickstart`;

await run("docker", "build", "--tag", IMAGE, root);
await run("kind", "load", "docker-image", IMAGE);
await run("kubectl", "apply", "-k", quickstart);
try {
  await kubectl("wait", "--for=condition=Ready", "pod/quickstart", "--timeout=120s");
  const objects = parseAllDocuments(await Deno.readTextFile(`${quickstart}/objects.yaml`)).map((each) => each.toJS());
  const [hello, team] = objects;
  await shows("hello.txt", hello.data["hello.txt"]);
  await shows("team-a/team.txt", team.data["team.txt"]);
  await shows("password", "not-a-secret");
  await kubectl("patch", "configmap", "hello", "--patch", '{"data":{"hello.txt":"changed"}}');
  await shows("hello.txt", "changed");
  await kubectl("delete", "configmap", "team");
  await shows("team-a/team.txt", undefined);
  await kubectl("label", "secret", "password", "quickstart-");
  await shows("password", undefined);
  console.log("files came, changed and went");
} finally {
  await kubectl("logs", "quickstart", "--container=sidecar", "--tail=50").catch(() => {});
  await kubectl("delete", "namespace", NAMESPACE, "--wait=false");
}

/** Waits until the shell beside the sidecar reads this; `undefined`: until there is no such file. */
async function shows(file: string, content: string | undefined): Promise<void> {
  const deadline = Date.now() + TIMEOUT;
  let found: string | undefined;
  while (Date.now() < deadline) {
    const args = ["-n", NAMESPACE, "exec", "quickstart", "--container=reader", "--", "cat", `/files/${file}`];
    const { success, stdout } = await new Deno.Command("kubectl", { args, stderr: "null" }).output();
    found = success ? new TextDecoder().decode(stdout) : undefined;
    if (found === content) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`/files/${file} is ${JSON.stringify(found)}, not ${JSON.stringify(content)}`);
}

function kubectl(...args: string[]): Promise<void> {
  return run("kubectl", "-n", NAMESPACE, ...args);
}

async function run(program: string, ...args: string[]): Promise<void> {
  console.log(`$ ${program} ${args.join(" ")}`);
  const { success } = await new Deno.Command(program, { args }).spawn().status;
  if (!success) throw new Error(`${program} ${args[0]} failed`);
}
