/** Volumes as they are, and settings of files: from manifests to the disk. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { diskAt, diskTest, filesIn, refusedModes, temporariesIn, text } from "../support/disk.ts";
import { encode } from "../support/local_servers.ts";
import { eventually } from "../support/oracle.ts";
import { SidecarProcess, type StartOptions } from "../support/sidecar_process.ts";
import { workplace } from "../support/workplace.ts";

type Data = Record<string, string>;

/** A folder of manifests, and a sidecar on it. */
function place() {
  const here = workplace();
  Deno.removeSync(`${here.manifests}/one.json`);
  return {
    ...here,
    put(name: string, manifest: { data?: Data; binaryData?: Data; kind?: string; metadata?: Record<string, unknown> }) {
      const metadata = { name, namespace: "default", labels: { app: "x" }, ...manifest.metadata };
      const object = { apiVersion: "v1", kind: "ConfigMap", ...manifest, metadata };
      // A reader must not see half of it
      Deno.writeTextFileSync(`${here.path}/next`, JSON.stringify(object));
      Deno.renameSync(`${here.path}/next`, `${here.manifests}/${name}.json`);
    },
    start(env: Data = {}, options: StartOptions = {}) {
      const settings = { LABEL: "app", FOLDER: here.files, NAMESPACE: "ALL", LOG_FORMAT: "JSON", ...env };
      return SidecarProcess.start(settings, { ...options, args: ["--manifests", here.manifests] });
    },
  };
}

async function startReady(at: ReturnType<typeof place>, env: Data = {}, options: StartOptions = {}) {
  const sidecar = at.start(env, options);
  await sidecar.ready();
  return sidecar;
}

for (const errno of ["EPERM", "EOPNOTSUPP"] as const) {
  diskTest("strace", `a volume that answers ${errno} to chmod gets its files, with one warning`, async () => {
    using at = place();
    const env = { CHECK_PERIOD: "1", RESYNC_PERIOD: "1", DEFAULT_FILE_MODE: "664" };
    // Files and directories are made with too few rights, which only chmod could add
    const through = ["sh", "-c", 'umask 077; exec "$@"', "sh", ...refusedModes(errno)];
    at.put("one", { data: { "a.txt": "1", "b.txt": "1" } });
    let inode: number | null;
    {
      await using sidecar = await startReady(at, env, { through });
      assert.deepEqual(filesIn(at.files), { "a.txt": "1", "b.txt": "1" });
      at.put("two", { data: { "c.txt": "1" } });
      await eventually(() => assert.equal(text(`${at.files}/c.txt`), "1"));
      ({ ino: inode } = Deno.statSync(`${at.files}/a.txt`));
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const warnings = sidecar.findAll("refuses file modes");
      assert.equal(warnings.length, 1, sidecar.tail());
      assert.equal(warnings[0]!.level, "WARN");
      assert.equal(sidecar.findAll("wrote").length, 2, "it heals what cannot be healed");
      assert.deepEqual(sidecar.lines.filter(({ level }) => level === "ERROR"), []);
      assert.equal((await sidecar.health("/readyz")).status, 200);
    }
    await using sidecar = await startReady(at, env, { through });
    assert.equal(Deno.statSync(`${at.files}/a.txt`).ino, inode);
    assert.deepEqual(temporariesIn(at.files), []);
    assert.equal(sidecar.findAll("refuses file modes").length, 1);
    assert.equal(sidecar.find("wrote"), undefined);
    Deno.removeSync(`${at.manifests}/one.json`);
    await eventually(() => assert.deepEqual(filesIn(at.files), { "c.txt": "1" }));
  });
}

diskTest("strace", "rewriting in place gets by without modes, too", async () => {
  using at = place();
  const through = ["sh", "-c", 'umask 077; exec "$@"', "sh", ...refusedModes("EPERM")];
  at.put("one", { data: { "a.txt": "1" } });
  await using _ = await startReady(at, { ATOMIC_WRITES: "false" }, { through });
  const { ino } = Deno.statSync(`${at.files}/a.txt`);
  at.put("one", { data: { "a.txt": "second" } });
  await eventually(() => assert.equal(text(`${at.files}/a.txt`), "second"));
  assert.equal(Deno.statSync(`${at.files}/a.txt`).ino, ino);
});

diskTest("mounts", "DEFAULTS=kiwigrid allows the volume that FOLDER is on, and no more", async () => {
  using at = place();
  const dashboards = `${at.path}/dashboards`;
  using _ = diskAt(dashboards, 1_000_000);
  const annotated = (folder: string) => ({ annotations: { "k8s-sidecar-target-directory": folder } });
  at.put("inside", { data: { a: "1" }, metadata: annotated(`${dashboards}/Mimir Dashboards`) });
  at.put("outside", { data: { b: "1" }, metadata: annotated(`${at.path}/elsewhere`) });
  const env = { DEFAULTS: "kiwigrid", FOLDER: `${dashboards}/General` };
  await using sidecar = await startReady(at, env);
  assert.deepEqual(filesIn(`${dashboards}/Mimir Dashboards`), { a: "1" });
  const [refusal] = sidecar.findAll("outside refused");
  assert.match(
    refusal!.msg,
    /points outside .*\/dashboards\/General, .*\/dashboards \(set ALLOWED_FOLDERS to allow others\)/,
  );
  assert.throws(() => Deno.statSync(`${at.path}/elsewhere`));
});

diskTest("mounts", "ALLOWED_FOLDERS takes the place of the volume", async () => {
  using at = place();
  const dashboards = `${at.path}/dashboards`;
  using _ = diskAt(dashboards, 1_000_000);
  const annotations = { "k8s-sidecar-target-directory": `${dashboards}/other` };
  at.put("one", { data: { a: "1" }, metadata: { annotations } });
  const env = { DEFAULTS: "kiwigrid", FOLDER: `${dashboards}/General`, ALLOWED_FOLDERS: "/srv/dashboards" };
  await using sidecar = await startReady(at, env);
  assert.ok(sidecar.find("one refused"));
});

Deno.test("FOLDER_PER_NAMESPACE keeps the namespaces apart", async () => {
  using at = place();
  const annotations = (folder: string) => ({ annotations: { "k8s-sidecar-target-directory": folder } });
  at.put("plain", { data: { k: "a" }, metadata: { namespace: "a" } });
  at.put("relative", { data: { k: "b" }, metadata: { namespace: "b", ...annotations("sub") } });
  at.put("intruder", { data: { k: "c" }, metadata: { namespace: "c", ...annotations("../a") } });
  await using sidecar = await startReady(at, { FOLDER_PER_NAMESPACE: "true" });
  assert.deepEqual(filesIn(at.files), { "a/k": "a", "b/sub/k": "b" });
  assert.match(sidecar.find("c/intruder refused")!.msg, /points outside .*\/c, the folder of its namespace/);
  Deno.removeSync(`${at.manifests}/plain.json`);
  await eventually(() => assert.throws(() => Deno.statSync(`${at.files}/a`)));
});

Deno.test("ATOMIC_WRITES=false keeps the inode that an application holds", async () => {
  using at = place();
  at.put("one", { data: { "a.txt": "first" } });
  await using _ = await startReady(at, { ATOMIC_WRITES: "false" });
  using held = Deno.openSync(`${at.files}/a.txt`);
  at.put("one", { data: { "a.txt": "second, and longer" } });
  await eventually(() => {
    held.seekSync(0, Deno.SeekMode.Start);
    const buffer = new Uint8Array(100);
    assert.equal(new TextDecoder().decode(buffer.subarray(0, held.readSync(buffer) ?? 0)), "second, and longer");
  });
});

Deno.test("DECOMPRESS unpacks what is large, and refuses a broken archive alone", async () => {
  using at = place();
  const dashboard = JSON.stringify({ title: "x".repeat(3_000_000) });
  const binaryData = { "dash.json.gz": gzipSync(dashboard).toBase64(), "bad.json.gz": encode("no archive").toBase64() };
  at.put("one", { data: { "plain.txt": "1" }, binaryData });
  at.put("bomb", { binaryData: { "bomb.gz": gzipSync(new Uint8Array(10_000_000)).toBase64() } });
  const env = { DECOMPRESS: "true", URL_MAX_BYTES: "4Mi" };
  {
    await using list = at.start({ ...env, METHOD: "LIST" });
    assert.equal((await list.exited()).code, 0, list.tail());
  }
  await using sidecar = await startReady(at, env);
  assert.deepEqual(filesIn(at.files), { "dash.json": dashboard, "plain.txt": "1" });
  assert.equal(sidecar.findAll(/refused: .*bad\.json: cannot unpack/).length, 1);
  assert.equal(sidecar.findAll(/refused: .*bomb: cannot unpack the archive: .*larger than 4194304/).length, 1);
  assert.equal(sidecar.lines.filter(({ level }) => level === "ERROR").length, 2);
  for (const probe of ["/readyz", "/livez"]) assert.equal((await sidecar.health(probe)).status, 200);
  const { ino } = Deno.statSync(`${at.files}/dash.json`);
  at.put("one", { data: { "plain.txt": "2" }, binaryData: { ...binaryData, "dash.json.gz": "AAAA" } });
  await sidecar.logged(/refused: .*dash\.json: cannot unpack/);
  assert.equal(Deno.statSync(`${at.files}/dash.json`).ino, ino);
  at.put("one", { data: { "plain.txt": "2" }, binaryData: { "dash.json.gz": gzipSync("small").toBase64() } });
  await eventually(() => assert.deepEqual(filesIn(at.files), { "dash.json": "small", "plain.txt": "2" }));
});

Deno.test("a .url key moves between a plain file and what its URL serves", async () => {
  using at = place();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("served"));
  const served = `http://127.0.0.1:${server.addr.port}/`;
  at.put("one", { data: { "spring.datasource.url": "jdbc:postgresql://db/app" } });
  await using sidecar = await startReady(at);
  for (
    const [value, files] of [
      ["jdbc:postgresql://db/app", { "spring.datasource.url": "jdbc:postgresql://db/app" }],
      [served, { "spring.datasource": "served" }],
      ["ftp://db/app", { "spring.datasource.url": "ftp://db/app" }],
    ] as const
  ) {
    at.put("one", { data: { "spring.datasource.url": value } });
    await eventually(() => assert.deepEqual(filesIn(at.files), files));
  }
  assert.deepEqual(sidecar.lines.filter(({ level }) => level === "ERROR"), []);
});

Deno.test("COLLISIONS=newest gives a path to the object that was made last", async () => {
  using at = place();
  const made = (creationTimestamp: string) => ({ creationTimestamp });
  at.put("dash-a", { data: { "overview.json": "v1" }, metadata: made("2026-01-01T00:00:00Z") });
  await using sidecar = await startReady(at, { COLLISIONS: "newest" });
  at.put("dash-b", { data: { "overview.json": "v2" }, metadata: made("2026-02-01T00:00:00Z") });
  await eventually(() => assert.deepEqual(filesIn(at.files), { "overview.json": "v2" }));
  assert.match(
    (await sidecar.logged("is claimed by")).msg,
    /dash-b has it, the newer one \(COLLISIONS=newest; UNIQUE_FILENAMES/,
  );
  Deno.removeSync(`${at.manifests}/dash-b.json`);
  await eventually(() => assert.deepEqual(filesIn(at.files), { "overview.json": "v1" }));
});
