/**
 * What the Dockerfile promises, without an engine: the binary in the image's file tree, as PID 1 under tini, with nothing
 * writable but FOLDER and /tmp, against a real control plane. SIDECAR_BIN names the binary.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { assertStopsInASecond } from "../support/sidecar_process.ts";
import { imageStories } from "./image_story.ts";

const { story, start, image } = imageStories();

/** In bytes. kiwigrid's image 2.10.1 has 139 MB of files, and 30.9 MB compressed. */
const BUDGET = { files: 95e6, gzip: 36.5e6, zstd: 31.5e6 };

story("the image is no larger than it may be", async () => {
  const size = await image().size();
  for (const [name, bytes] of Object.entries(size)) {
    console.log(`image, ${name}: ${(bytes / 1e6).toFixed(1)} MB`);
    assert.ok(bytes < BUDGET[name as keyof typeof BUDGET], `${name}: ${bytes} bytes`);
  }
});

story("the binary has no symbols, and nothing of the tests", async () => {
  const binary = await Deno.readFile(join(image().path, "usr/local/bin/k8s-sidecar"));
  assert.ok(binary.length < 90e6, `${binary.length} bytes`);
  const text = new TextDecoder("latin1").decode(binary);
  // Part of the program, so it shows that a package's name would be found
  assert.ok(text.includes("client-node"));
  for (const name of ["ajv-validator", "fast-check", "playwright"]) assert.ok(!text.includes(name), name);
});

story("a scanner finds the versions of Debian's packages", async () => {
  const packages = [...Deno.readDirSync(join(image().path, "var/lib/dpkg/status.d"))].map(({ name }) => name).sort();
  assert.deepEqual(packages, ["base-files", "ca-certificates", "gcc-12-base", "libc6", "libgcc-s1", "tini"]);
  for (const name of packages) {
    const control = await Deno.readTextFile(join(image().path, "var/lib/dpkg/status.d", name));
    assert.match(control, new RegExp(`^Package: ${name}$`, "m"));
    assert.match(control, /^Version: \S+$/m);
  }
  assert.match(await Deno.readTextFile(join(image().path, "usr/lib/os-release")), /^ID=debian$/m);
});

story("files are kept, and it stops within a second", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await at.create("Secret", "b", { data: { "b.txt": "b" }, annotations: { "k8s-sidecar-target-directory": "sub" } });
  const temporary = join(at.dir, "tmp");
  await Deno.mkdir(temporary);
  await Deno.chmod(temporary, 0o777);
  const sidecar = await start(at, {}, { volumes: { "/files": at.folder, "/tmp": temporary }, tmp: false });
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "a", "sub/b.txt": "b" });
  assert.deepEqual([...Deno.readDirSync(temporary)], []);
  const { uid, gid } = Deno.statSync(join(at.folder, "a.txt"));
  assert.deepEqual({ uid, gid }, { uid: 65534, gid: 65534 });
  assert.equal((await sidecar.health("/healthz")).status, 200);
  assert.ok(sidecar.rssAnon() < 40e6, `${sidecar.rssAnon()} bytes of private memory`);

  await at.change("ConfigMap", "a", { data: { "a.txt": "changed" } });
  await at.delete("Secret", "b");
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "changed" }));
  assert.equal((await sidecar.stop()).code, 0);
  await assertStopsInASecond(async () => {
    const another = await start(at, {});
    await another.ready();
    return another;
  });
});

story("no /tmp is needed, and any user will do", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const sidecar = await start(at, {}, { tmp: false, user: "4000000:4000000" });
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "a" });
  assert.equal(Deno.statSync(join(at.folder, "a.txt")).uid, 4_000_000);
  assert.deepEqual(sidecar.lines.filter(({ level }) => level !== "INFO"), []);
});

story("Grafana's user 472 writes to a volume of its fsGroup", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  await Deno.mkdir(at.folder);
  await Deno.chown(at.folder, 0, 472);
  await Deno.chmod(at.folder, 0o2775);
  const sidecar = await start(at, {}, { user: "472:472" });
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "a" });
  const { uid, gid } = Deno.statSync(join(at.folder, "a.txt"));
  assert.deepEqual({ uid, gid }, { uid: 472, gid: 472 });
});

story("a volume that kiwigrid's image wrote is taken over", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "new" } });
  await Deno.mkdir(at.folder);
  await Deno.writeTextFile(join(at.folder, "a.txt"), "old");
  for (const path of [at.folder, join(at.folder, "a.txt")]) await Deno.chown(path, 65534, 65534);
  const sidecar = await start(at, {});
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "new" });
});

story("METHOD=LIST writes the files and exits with 0", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const sidecar = await start(at, { METHOD: "LIST" });
  assert.deepEqual(await sidecar.exited(), { code: 0, signal: null });
  assertFolderEquals(at.folder, { "a.txt": "a" });
});

story("--help and --version print and exit with 0, without any setting", async (at) => {
  for (const [flag, expected] of [["--help", /LABEL_VALUE/], ["--version", /^\d+\.\d+\.\d+/m]] as const) {
    const sidecar = await start(at, { LABEL: undefined, FOLDER: undefined }, {}, [flag]);
    assert.equal((await sidecar.exited()).code, 0);
    assert.match(sidecar.lines.map(({ text }) => text).join("\n"), expected);
    assert.ok(sidecar.lines.every(({ stream }) => stream === "stdout"));
  }
});

story("a folder that nobody mounted is a fault of the disk, which the start and /readyz name", async (at) => {
  const sidecar = await start(at, { FOLDER: "/nowhere/files" });
  await eventually(async () => {
    const { status, text } = await sidecar.health("/readyz");
    assert.deepEqual([status, text.includes("cannot make /nowhere/files: Read-only file system")], [503, true], text);
  });
  assert.match(sidecar.lines[0]?.msg ?? "", /^FOLDER="\/nowhere\/files".*Read-only file system/);
  assert.equal(sidecar.find("sidecar is ready"), undefined);
  const list = await start(at, { FOLDER: "/nowhere/files", METHOD: "LIST" });
  assert.equal((await list.exited()).code, 4, list.tail());
});

story("remove-finalizers needs nothing that is writable", async (at) => {
  const sidecar = await start(at, { FOLDER: "/tmp", FINALIZERS: "true" }, { tmp: false }, ["remove-finalizers"]);
  assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
});

story("a SCRIPT that needs a shell fails with one clear error, and files are kept all the same", async (at) => {
  image().write("/scripts/plain.sh", "echo told\n");
  image().write("/scripts/executable.sh", "#!/bin/sh\necho told\n", 0o755);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const expected = {
    "/scripts/plain.sh": "is not executable, and there is no sh in this image",
    "/scripts/executable.sh": "the interpreter in its first line is not in this image",
  };
  for (const [script, message] of Object.entries(expected)) {
    await Deno.remove(at.folder, { recursive: true }).catch(() => {});
    const sidecar = await start(at, { SCRIPT: script, LOG_LEVEL: "DEBUG" });
    await sidecar.ready();
    const line = await sidecar.logged(message);
    assert.equal(line.level, "ERROR");
    const over = await sidecar.logged("Running the script again");
    const attempt = sidecar.lines.slice(0, sidecar.lines.indexOf(over));
    assert.equal(attempt.filter(({ msg }) => msg.includes(message)).length, 1);
    assertFolderEquals(at.folder, { "a.txt": "a" });
    await sidecar.stop();
  }
});

story(
  "what is loaded lazily is in the binary: kubeconfig, manifests, LOG_CONFIG, TLS without verification",
  async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
    const kubeconfig = await at.controlPlane.kubeconfig();
    const cluster = JSON.parse(await Deno.readTextFile(kubeconfig));
    const [{ cluster: settings }] = cluster.clusters;
    delete settings["certificate-authority"];
    settings["certificate-authority-data"] = new TextEncoder().encode(at.controlPlane.caPem).toBase64();
    image().write("/config/kubeconfig", JSON.stringify(cluster));
    const list = { METHOD: "LIST", KUBECONFIG: "/config/kubeconfig" };
    const sidecar = await start(at, list);
    assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
    assertFolderEquals(at.folder, { "a.txt": "a" });

    const unverified = await start(at, { METHOD: "LIST", SKIP_TLS_VERIFY: "true" });
    assert.equal((await unverified.exited()).code, 0, unverified.tail());

    const manifest =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, labels: { demo: yes } }\ndata: { b.txt: b }\n";
    image().write("/manifests/a.yaml", manifest);
    const logConfig = {
      version: 1,
      root: { level: "INFO", handlers: ["file"] },
      handlers: {
        file: { class: "logging.handlers.RotatingFileHandler", filename: "/files/log", maxBytes: 1e6, backupCount: 1 },
      },
    };
    image().write("/config/log.yaml", JSON.stringify(logConfig));
    const offline = { LABEL: "demo", METHOD: "LIST", LOG_CONFIG: "/config/log.yaml" };
    const demo = await start(at, offline, {}, ["--manifests", "/manifests"]);
    assert.equal((await demo.exited()).code, 0, demo.tail());
    assert.equal(await Deno.readTextFile(join(at.folder, "b.txt")), "b");
    assert.match(await Deno.readTextFile(join(at.folder, "log")), /List complete/);
  },
);
