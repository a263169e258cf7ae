/** What is the sidecar's own on disk: one directory, and never a file between those of others. */
import assert from "node:assert/strict";
import { diskAt, exists, text, where } from "../support/disk.ts";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually, recordIn, temporariesIn } from "../support/oracle.ts";
import { SeenPaths } from "../support/seen_paths.ts";
import { type ObjectFields, stories } from "../support/story.ts";

const story = stories();

/** Servers on loopback may be asked. */
const DOWNLOADS = { URL_ALLOWED_HOSTS: "*" };

const BODY = "x".repeat(100_000);

/** Serves {@link BODY} twice over; the second half comes when it may. */
function halfServer() {
  const rest = Promise.withResolvers<void>();
  const server = serve(() => {
    const pieces = [new TextEncoder().encode(BODY), new TextEncoder().encode(BODY)];
    let sent = 0;
    return new Response(
      new ReadableStream({
        async pull(controller) {
          if (sent === 1) await rest.promise;
          controller.enqueue(pieces[sent]);
          if (++sent === pieces.length) controller.close();
        },
      }),
    );
  });
  return {
    url: `http://127.0.0.1:${server.port}/file`,
    goOn: () => rest.resolve(),
    async [Symbol.asyncDispose]() {
      rest.resolve();
      await server[Symbol.asyncDispose]();
    },
  };
}

function inFolder(name: string, data: Record<string, string>): ObjectFields {
  return { data, annotations: { "k8s-sidecar-target-directory": name } };
}

/** Whether a path within a folder is the sidecar's own directory, or in it. */
function isOwn(path: string): boolean {
  return /^([^.][^/]*\/)*\.\.k8s-sidecar-[0-9a-f]{10}($|\/state($|\/))/.test(path);
}

story("Nothing but wanted files is ever seen in target folders", async (at) => {
  await using server = halfServer();
  Deno.mkdirSync(`${at.folder}/team`, { recursive: true });
  await using seen = new SeenPaths(at.folder);
  for (const name of ["a", "b"]) await at.create("ConfigMap", name, { data: { [`${name}.txt`]: "1" } });
  await at.create("ConfigMap", "c", inFolder("team", { "c.txt": "1", "served.txt.url": server.url }));
  const sidecar = await at.start(DOWNLOADS);
  await eventually(() => assert.ok(exists(`${at.folder}/team/c.txt`)));
  for (let version = 2; version <= 10; version++) {
    for (const name of ["a", "b", "c"]) await at.change("ConfigMap", name, { data: { [`${name}.txt`]: `${version}` } });
  }
  server.goOn();
  await sidecar.ready();
  const files = { "a.txt": "10", "b.txt": "10", "team/c.txt": "10", "team/served.txt": BODY + BODY };
  await eventually(() => assertFolderEquals(at.folder, files));
  const paths = await seen.all();
  // A folder on the same file system has no directory of ours: FOLDER's will do
  const others = paths.filter((path) => path !== "team" && (path.startsWith("team/") || !isOwn(path)));
  assert.deepEqual(others, Object.keys(files).sort());
  const [own, ...more] = [...Deno.readDirSync(at.folder)].filter(({ name }) => isOwn(name));
  assert.ok(own?.isDirectory && more.length === 0);
  // Temporaries were in it
  assert.ok(paths.some((path) => path.startsWith(`${own.name}/state/`) && !recordIn(at.folder).endsWith(path)));
});

story("Another user can read all below the folder", async (at) => {
  await using server = halfServer();
  Deno.chmodSync(at.dir, 0o755);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1", "served.txt.url": server.url } });
  const sidecar = await at.start(DOWNLOADS);
  await sidecar.logged(/wrote .*a\.txt/);
  await eventually(() => assert.equal(temporariesIn(at.folder).length > 0, true, "nothing is downloaded"));
  const args = [at.folder, "-type", "f", "-exec", "cat", "{}", "+"];
  const walk = new Deno.Command("find", { args, uid: 65_534, gid: 65_534, stdout: "null", stderr: "piped" });
  const { success, stderr } = await walk.output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.ok(success);
  server.goOn();
  await sidecar.ready();
  assertFolderEquals(at.folder, { "a.txt": "1", "served.txt": BODY + BODY });
}, { ignore: Deno.uid() !== 0 });

const mounts = where("mounts", "Killed amid downloads leaves temporaries in its directories alone");

story(mounts.name, async (at) => {
  using _disk = diskAt(`${at.folder}/other`, 4 * 1024 * 1024);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await at.create("ConfigMap", "b", inFolder("other", { "b.txt": "1" }));
  {
    await using server = halfServer();
    await at.create("ConfigMap", "c", { data: { "here.txt.url": server.url } });
    await at.create("ConfigMap", "d", inFolder("other", { "there.txt.url": server.url }));
    const first = await at.start(DOWNLOADS);
    await eventually(() => assert.ok(exists(`${at.folder}/a.txt`) && exists(`${at.folder}/other/b.txt`)));
    await eventually(() => {
      const found = temporariesIn(at.folder).filter((path) => path.includes("/state/"));
      assert.ok(found.some((path) => path.startsWith("..k8s-sidecar-")), `no temporary in FOLDER's own: ${found}`);
      assert.ok(found.some((path) => path.startsWith("other/..k8s-sidecar-")), `none in the other disk's: ${found}`);
    });
    await first.kill9();
    for (const [folder, file] of [[at.folder, "a.txt"], [`${at.folder}/other`, "b.txt"]] as const) {
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assert.deepEqual(names.filter((name) => !isOwn(name) && name !== "other"), [file]);
    }
  }
  await using server = halfServer();
  server.goOn();
  for (const [name, key] of [["c", "here.txt.url"], ["d", "there.txt.url"]] as const) {
    await at.change("ConfigMap", name, { data: { [key]: server.url } });
  }
  const second = await at.startReady(DOWNLOADS);
  const served = { "here.txt": BODY + BODY, "other/there.txt": BODY + BODY };
  await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1", "other/b.txt": "1", ...served }));
  await second.kill9();
}, mounts);

story("STATE_FILE in the folder and a key named like it are apart", async (at) => {
  const record = `${at.folder}/record`;
  const settings = { STATE_FILE: record };
  await at.create("ConfigMap", "user", { data: { "record.new": "the user's" } });
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const assertFiles = (...names: string[]) => {
    const found = [...Deno.readDirSync(at.folder)].filter(({ isFile }) => isFile).map(({ name }) => name);
    assert.deepEqual(found.sort(), ["record", "record.new", ...names].sort());
    assert.equal(text(`${at.folder}/record.new`), "the user's");
  };
  const first = await at.startReady(settings);
  await eventually(() => assertFiles("a.txt"));
  // It is written anew
  Deno.removeSync(record);
  await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
  await eventually(() => assertFiles("a.txt", "b.txt"));
  await first.kill9();
  await at.delete("ConfigMap", "a");
  await at.delete("ConfigMap", "b");
  await at.create("ConfigMap", "c", { data: { "c.txt": "1" } });
  await at.startReady(settings);
  await eventually(() => assertFiles("c.txt"));
  Deno.removeSync(record);
  await at.create("ConfigMap", "d", { data: { "d.txt": "1" } });
  await eventually(() => assertFiles("c.txt", "d.txt"));
});
