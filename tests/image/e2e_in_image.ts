/**
 * The end-to-end tests with the binary inside the file tree of the image: `e2e_in_image.ts [TEST FILES]`. SIDECAR_BIN names
 * the binary. It is user 472 there, in a user name space: outside it is root, whose temporary folders the tests use. The tests
 * have scripts, so the tree is that of the image with a shell.
 */
import { join } from "node:path";
import { ImageRoot, whyNoImage } from "./image_root.ts";

const reason = whyNoImage();
if (reason !== undefined) {
  console.error(reason);
  Deno.exit(1);
}
await using image = await ImageRoot.build("debug");
const wrapper = join(image.path, "..", "k8s-sidecar");
// What holds the tests' folders is there under the same name
const enter = image.enter({ user: "mapped", volumes: { "/tmp": "/tmp" }, tmp: false });
const words = [...enter, "k8s-sidecar"].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
await Deno.writeTextFile(wrapper, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
const files = Deno.args.length > 0 ? Deno.args : ["tests/e2e/", "tests/dropin/"];
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--sanitize-ops", "--sanitize-resources", ...files],
  env: { SIDECAR_BIN: wrapper },
}).spawn().status;
await image[Symbol.asyncDispose]();
Deno.exit(code);
