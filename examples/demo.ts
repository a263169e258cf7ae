/**
 * The main job without a cluster: the sidecar is started with `--manifests examples/manifests` and
 * fills a folder. Once, or with `--watch` until Ctrl-C. FOLDER names a folder other than a temporary one.
 */
const root = new URL("../", import.meta.url);
const watch = Deno.args.includes("--watch");
const folder = Deno.env.get("FOLDER") || Deno.makeTempDirSync({ prefix: "k8s-sidecar-demo-" });

console.log(`ConfigMaps and Secrets: ${new URL("examples/manifests/", root).pathname}`);
console.log(`Files:                  ${folder}\n`);
if (watch) console.log("Edit a manifest and look at the files; Ctrl-C ends it.\n");

// This program hears Ctrl-C too, and has to stay until the sidecar is done
Deno.addSignalListener("SIGINT", () => {});
const sidecar = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "--quiet",
    "-A",
    new URL("main.ts", root).pathname,
    "--manifests",
    new URL("examples/manifests", root).pathname,
  ],
  env: {
    LABEL: "k8s-sidecar",
    LABEL_VALUE: "demo",
    FOLDER: folder,
    METHOD: watch ? "WATCH" : "LIST",
    LOG_FORMAT: "TEXT",
    LIVENESS: "false",
  },
}).spawn();
Deno.addSignalListener("SIGTERM", () => sidecar.kill("SIGTERM"));
const { code } = await sidecar.status;
if (!watch) {
  console.log(`\n${folder}`);
  printTree(folder, "");
}
Deno.exit(code);

function printTree(directory: string, indent: string): void {
  const entries = [...Deno.readDirSync(directory)].sort((a, b) => a.name.localeCompare(b.name));
  for (const [index, { name, isDirectory }] of entries.entries()) {
    const last = index === entries.length - 1;
    const path = `${directory}/${name}`;
    const { size, mode } = Deno.statSync(path);
    const about = isDirectory ? "/" : `  ${size} bytes, mode ${((mode ?? 0) & 0o777).toString(8)}`;
    console.log(`${indent}${last ? "└── " : "├── "}${name}${about}`);
    if (isDirectory) printTree(path, indent + (last ? "    " : "│   "));
  }
}
