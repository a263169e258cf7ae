/** The commands of the quick start, against a real API server: those that need no kubelet. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf } from "../support/documents.ts";
import { stories } from "../support/story.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DOCUMENT = join(ROOT, "docs/quickstart.md");

/** Wait for a running pod. */
const NEEDS_KUBELET = / (wait|logs) /;

const story = stories();

story("the quick start's commands are accepted, and its sidecar writes the file", async (at) => {
  const commands = blocksOf(Deno.readTextFileSync(DOCUMENT)).filter(({ needs }) => needs === "a cluster")
    .flatMap(({ lines }) => lines);
  assert.equal(commands.length, 10);
  const folder = join(at.dir, "files");
  const script = commands.filter((line) => !NEEDS_KUBELET.test(line)).join("\n")
    // Without controllers, a namespace is never gone
    .replace("delete namespace", "delete --wait=false namespace")
    .replace("FOLDER=/tmp/files npx -y deno@2.9.6", `METHOD=LIST FOLDER=${folder} ${Deno.execPath()}`);
  const { PATH = "", HOME = "", DENO_DIR, XDG_CACHE_HOME } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-ec", script],
    cwd: ROOT,
    clearEnv: true,
    env: {
      PATH,
      HOME,
      ...(DENO_DIR === undefined ? {} : { DENO_DIR }),
      ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }),
      KUBECONFIG: await at.controlPlane.kubeconfig(),
    },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  assert.equal(Deno.readTextFileSync(join(folder, "hello.txt")), "Hello, file");
});
