/** Objects whose authors mean harm, or do it. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/runtime/clock.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import { faultStories, seconds } from "../support/fault_story.ts";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually, temporariesIn } from "../support/oracle.ts";
import { forEach, type Story } from "../support/story.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { stamped } from "../support/stamped.ts";

const story = faultStories();

const ANNOTATION = "k8s-sidecar-target-directory";

/** Everything outside the folder, by path: nothing of it may change. */
function around(at: Story): string[] {
  const paths: string[] = [];
  const visit = (directory: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      const path = `${directory}/${name}`;
      if (path === at.folder) continue;
      paths.push(path);
      if (isDirectory) visit(path);
    }
  };
  visit(at.dir);
  return paths.sort();
}

story("annotations that point anywhere else are refused, one error each, and harm no other object", async (at) => {
  Deno.mkdirSync(`${at.dir}/outside`);
  Deno.mkdirSync(`${at.folder}-sibling`);
  Deno.mkdirSync(`${at.folder}/real`, { recursive: true });
  // Symlinks that somebody with access to the folder has set up before
  Deno.symlinkSync(`${at.dir}/outside`, `${at.folder}/leads-out`);
  Deno.symlinkSync("leads-out", `${at.folder}/leads-to-it`);
  Deno.symlinkSync("/", `${at.folder}/leads-to-root`);
  Deno.symlinkSync("leads-in-circles", `${at.folder}/leads-in-circles`);
  Deno.symlinkSync("nowhere/at/all", `${at.folder}/leads-nowhere`);
  const values = [
    ...["..", "../outside", "a/../../outside", "../../../../../etc", `${at.dir}/outside`, `${at.folder}/../outside`],
    ...["/", "/etc", "//", "///etc//passwd", `${at.folder}-sibling`, `${at.folder}/..`, "/proc/self/root/tmp", "/dev"],
    ...["nul\0byte", "new\nline", "tab\tand\rreturn", "\u001b[31m", "x".repeat(10_240), `${"a/".repeat(3000)}b`],
    ...["..k8s-sidecar-0123456789", "a/..k8s-sidecar-x/b", "leads-out", "leads-out/deeper", "leads-to-it/x"],
    ...["leads-to-root/tmp", "leads-in-circles/x", "leads-nowhere/x", `${"é".repeat(200)}`],
  ];
  await forEach(values.entries(), ([index, value]) =>
    at.create("ConfigMap", `evil-${index}`, {
      data: { [`evil-${index}.txt`]: "evil" },
      annotations: { [ANNOTATION]: value },
    }));
  await at.create("ConfigMap", "good", { data: { "good.txt": "good" } });
  const before = around(at);
  const sidecar = await at.startReady({ RESYNC_PERIOD: "3" });
  await at.create("ConfigMap", "late", { data: { "late.txt": "late" }, annotations: { [ANNOTATION]: "./a/../real/" } });
  await eventually(() => assert.equal(Deno.readTextFileSync(`${at.folder}/real/late.txt`), "late"));
  assert.equal(Deno.readTextFileSync(`${at.folder}/good.txt`), "good");
  assert.deepEqual(around(at), before);
  const found = [...Deno.readDirSync(at.folder)].map(({ name }) => name).filter((name) => !name.startsWith("leads-"));
  assert.deepEqual(found.filter((name) => !/^\.\.k8s-sidecar-[0-9a-f]{10}$/.test(name)).sort(), ["good.txt", "real"]);
  for (const [index, value] of values.entries()) {
    const lines = sidecar.findAll(new RegExp(`/evil-${index}(:| refused:) `)).filter(({ level }) => level === "ERROR");
    assert.equal(lines.length, 1, `${JSON.stringify(value).slice(0, 50)} is told ${lines.length} times`);
    assert.ok((lines[0]?.text.length ?? 0) < 1500 && !lines[0]?.msg.includes("\n"));
  }
  // Once a way is put right, so is the file
  Deno.removeSync(`${at.folder}/leads-out`);
  await eventually(() => assert.ok(Deno.lstatSync(`${at.folder}/leads-out/evil-${values.indexOf("leads-out")}.txt`)));
  assert.deepEqual(around(at), before);
});

story(
  "a .url that points to a file, or to somebody else's server, gets neither the file nor the password",
  async (at) => {
    const seen: (string | null)[] = [];
    await using stranger = serve((request) => {
      seen.push(request.headers.get("authorization"));
      return new Response("of a stranger");
    });
    await using own = serve((request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/moved") return Response.redirect(`http://127.0.0.1:${stranger.port}/caught`, 302);
      if (pathname === "/to-file") {
        return new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } });
      }
      return new Response(request.headers.get("authorization") === null ? "no password" : "password");
    });
    // These are no URLs to download, and become plain files
    const texts: Record<string, string> = {
      "passwd": "file:///etc/passwd",
      "environment": "file:///proc/self/environ",
      "data": "data:text/plain,hello",
      "blob": "blob:http://127.0.0.1/x",
      "javascript": "javascript:alert(1)",
      "relative": "../../etc/passwd",
      "nonsense": "http://[",
      "empty": "",
    };
    const urls: Record<string, string> = {
      "to-file": `http://127.0.0.1:${own.port}/to-file`,
      "stranger": `http://127.0.0.1:${stranger.port}/`,
      "user-info": `http://admin:secret@127.0.0.1:${stranger.port}/`,
      "moved": `http://127.0.0.1:${own.port}/moved`,
      "own": `http://127.0.0.1:${own.port}/`,
    };
    await at.create("ConfigMap", "urls", {
      data: Object.fromEntries(Object.entries({ ...texts, ...urls }).map(([name, url]) => [`${name}.url`, url])),
    });
    await at.create("ConfigMap", "good", { data: { "good.txt": "good" } });
    const sidecar = await at.startReady({
      ...{ REQ_URL: `http://127.0.0.1:${own.port}/reload`, REQ_USERNAME: "admin", REQ_PASSWORD: "hunter2-hunter2" },
      ...{ REQ_RETRY_TOTAL: "1", REQ_RETRY_BACKOFF_FACTOR: "0.1", REQ_TIMEOUT: "2" },
    });
    const stranger_ = "of a stranger";
    const expected = {
      "good.txt": "good",
      stranger: stranger_,
      "user-info": stranger_,
      moved: stranger_,
      own: "no password",
      ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [`${name}.url`, text])),
    };
    await eventually(() => assertFolderEquals(at.folder, expected));
    // What the URL itself says is for its server
    assert.deepEqual([...new Set(seen)].sort(), [`Basic ${btoa("admin:secret")}`, null]);
    assert.deepEqual(sidecar.lines.filter(({ text }) => /hunter2|secret@|aHVudGVy/.test(text)), []);
  },
);

story("a .url to an endless body is cut off, one that trickles for ever holds nobody up", async (at) => {
  const mega = new Uint8Array(65_536).fill(120);
  const stop = new AbortController();
  const endless = (chunk: Uint8Array, everyMs: number) =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          if (everyMs > 0) await systemClock.sleep(everyMs / 1000, stop.signal).catch(() => {});
          if (stop.signal.aborted) controller.close();
          else controller.enqueue(chunk);
        },
      }),
    );
  await using server = serve((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/endless") return endless(mega, 0);
    if (pathname.startsWith("/trickle")) return endless(mega.subarray(0, 1), 200);
    return new Response("prompt");
  });
  using _ = { [Symbol.dispose]: () => stop.abort() };
  const url = (path: string) => `http://127.0.0.1:${server.port}/${path}`;
  const data: Record<string, string> = { "endless.url": url("endless") };
  for (let index = 0; index < 8; index++) data[`trickle-${index}.url`] = url(`trickle-${index}`);
  await at.create("ConfigMap", "a-endless", { data });
  await at.create("ConfigMap", "b-prompt", { data: { "prompt.url": url("prompt"), "plain.txt": "plain" } });
  const sidecar = await at.start({ URL_MAX_BYTES: String(2 ** 20), URL_TIMEOUT: "2", REQ_RETRY_TOTAL: "0" });
  await sidecar.logged(/endless.*larger than 1048576 bytes \(URL_MAX_BYTES\)/);
  await eventually(() => {
    assert.equal(Deno.readTextFileSync(`${at.folder}/prompt`), "prompt");
    assert.equal(Deno.readTextFileSync(`${at.folder}/plain.txt`), "plain");
  });
  await sidecar.ready();
  assert.ok(sidecar.rssAnon() < 150 * 2 ** 20);
  await at.delete("ConfigMap", "a-endless");
  await eventually(() => {
    assertFolderEquals(at.folder, { prompt: "prompt", "plain.txt": "plain" });
    assert.deepEqual(temporariesIn(at.folder), []);
  });
  await sidecar.kill9();
});

story("a thousand objects claim one path: one has it, and the next when it goes", async (at) => {
  const names = Array.from({ length: 1000 }, (_, index) => `claims-${String(index).padStart(4, "0")}`);
  await forEach(names, (name) => at.create("ConfigMap", name, { data: { "path.txt": stamped(name, 1, 100) } }), 16);
  const sidecar = await at.startReady();
  await assertDiskFollows(at);
  for (let round = 0; round < 5; round++) {
    const [, id] = /^(\S+)/.exec(Deno.readTextFileSync(`${at.folder}/path.txt`)) ?? [];
    await at.delete("ConfigMap", id ?? "");
    await assertDiskFollows(at);
  }
  await at.request("DELETE", `/api/v1/namespaces/${at.namespace}/configmaps?labelSelector=${at.label}`);
  await assertDiskFollows(at);
  assertFolderEquals(at.folder, {});
  assert.ok(sidecar.running);
});

story("labels that flap, and an object updated as fast as the API server can, end as the cluster ends", async (at) => {
  await at.create("ConfigMap", "flaps", { data: { "flaps.txt": "x" } });
  await at.create("ConfigMap", "hot", { data: { "hot.txt": stamped("hot", 0, 1000) } });
  const sidecar = await at.startReady();
  const updates = 1000;
  const flap = async () => {
    for (let round = 0; round < 60; round++) {
      await at.change("ConfigMap", "flaps", { labels: { [at.label]: round % 2 === 0 ? null : "yes" } });
    }
  };
  const startedAt = performance.now();
  const versions = Array.from({ length: updates }, (_, index) => index + 1);
  await Promise.all([
    flap(),
    forEach(
      versions,
      (version) => at.change("ConfigMap", "hot", { data: { "hot.txt": stamped("hot", version, 1000) } }),
      12,
    ),
  ]);
  console.log(`${updates} updates in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  await assertDiskFollows(at);
  assert.equal((await sidecar.health("/healthz")).status, 200);
});

story("objects of the largest size, with the most keys, all at once", async (at) => {
  const big = "x€".repeat(250_000);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k-${index}`, `${index}`]));
  await at.create("ConfigMap", "many", { data: many });
  await forEach(
    [0, 1, 2, 3, 4, 5],
    (index) => at.create("ConfigMap", `big-${index}`, { data: { [`big-${index}`]: big } }),
  );
  const sidecar = await at.startReady();
  await assertDiskFollows(at);
  await at.change("ConfigMap", "many", { annotations: { [ANNOTATION]: "moved" } });
  await assertDiskFollows(at);
  assert.ok(sidecar.running);
});

/** Milliseconds within which 95 % of the probes are answered while something happens. */
async function slowProbe(sidecar: SidecarProcess, act: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  let isOver = false;
  const probe = async () => {
    while (!isOver) {
      const startedAt = performance.now();
      assert.equal((await sidecar.health("/livez")).status, 200);
      times.push(performance.now() - startedAt);
      await seconds(0.02);
    }
  };
  await Promise.all([probe(), act().finally(() => isOver = true)]);
  // The API server and the test share the machine
  times.sort((a, b) => a - b);
  const slow = times[Math.floor(times.length * 0.95)] ?? Infinity;
  console.log(`${times.length} probes: 95 % within ${slow.toFixed(0)} ms, the slowest ${times.at(-1)?.toFixed(0)} ms`);
  return slow;
}

story(
  "objects with as many keys as are allowed that move to and fro, and one with more, delay no probe",
  async (at) => {
    const keysOf = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, ""]));
    for (const name of ["first", "second"]) await at.create("ConfigMap", name, { data: keysOf(5000, name) });
    await at.create("ConfigMap", "more", { data: keysOf(60_000, "more") });
    const sidecar = await at.startReady();
    const move = async () => {
      for (let round = 0; round < 5; round++) {
        const annotations = { [ANNOTATION]: round % 2 === 0 ? "moved" : null };
        await forEach(["first", "second", "more"], (name) => at.change("ConfigMap", name, { annotations }));
        await seconds(2);
      }
    };
    assert.ok(await slowProbe(sidecar, move) < 200);
    assert.equal(sidecar.findAll(/\/more refused: it has 60000 keys \(MAX_FILES_PER_OBJECT=5000\)/).length, 6);
    await eventually(() => assert.equal([...Deno.readDirSync(`${at.folder}/moved`)].length, 10_000));
  },
);

story("a file and another object's folder of 5,000 files that take turns delay no probe", async (at) => {
  await at.create("ConfigMap", "a-file", { data: { turns: "file" } });
  const data = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k-${index}`, ""]));
  await at.create("ConfigMap", "folder", { data, annotations: { [ANNOTATION]: "turns" } });
  const sidecar = await at.startReady();
  const takeTurns = async () => {
    for (let round = 0; round < 3; round++) {
      await at.change("ConfigMap", "a-file", { labels: { [at.label]: null } });
      await eventually(() => assert.equal([...Deno.readDirSync(`${at.folder}/turns`)].length, 5000));
      await at.change("ConfigMap", "a-file", { labels: { [at.label]: "yes" } });
      await eventually(() => assert.equal(Deno.readTextFileSync(`${at.folder}/turns`), "file"));
    }
  };
  assert.ok(await slowProbe(sidecar, takeTurns) < 200);
  assert.equal(sidecar.findAll(/turns\/k-\d+ and 4999 more files of ConfigMap .*\/folder are not written/).length, 4);
});
