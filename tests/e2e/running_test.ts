/** A sidecar from its start to its end: health, watches that end, signals. */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually, temporariesIn } from "../support/oracle.ts";
import { freePort } from "../support/free_port.ts";
import { assertStopsInASecond, type SidecarProcess } from "../support/sidecar_process.ts";
import { serve } from "../support/local_servers.ts";
import { type Settings, stories } from "../support/story.ts";

const story = stories();

/** The requests a sidecar logged under DEBUG=true, by what they are for. */
function requestsOf(sidecar: SidecarProcess) {
  const requests = sidecar.findAll(/^GET /).map(({ msg }) => new URLSearchParams(msg.split("?")[1]));
  const watches = requests.filter((query) => query.has("watch") && !query.has("sendInitialEvents"));
  return {
    lists: requests.filter((query) => query.get("limit") === "500"),
    streamingLists: requests.filter((query) => query.has("sendInitialEvents")),
    watches,
    versions: watches.map((query) => Number(query.get("resourceVersion"))),
  };
}

/** Each watch begins where the one before ended, and nothing is asked for or written twice. */
async function resumes(sidecar: SidecarProcess, folder: string, change: (to: string) => Promise<void>): Promise<void> {
  const ends = async (count: number) => {
    const goal = requestsOf(sidecar).watches.length + count;
    await eventually(() => assert.ok(requestsOf(sidecar).watches.length >= goal), { timeout: 40_000 });
  };
  await ends(1);
  await change("2");
  await eventually(() => assertFolderEquals(folder, { "a.txt": "2" }));
  await ends(2);
  await change("3");
  await eventually(() => assertFolderEquals(folder, { "a.txt": "3" }));

  await sidecar.logged(": wrote ", { count: 3 });
  const { lists, streamingLists, versions } = requestsOf(sidecar);
  assert.equal(lists.length, 1);
  assert.ok(streamingLists.length <= 1);
  assert.deepEqual(versions, versions.toSorted((a, b) => a - b));
  assert.ok(new Set(versions).size > 1, `the version never moved: ${versions}`);
  assert.equal(sidecar.findAll(": wrote ").length, 3);
  assert.deepEqual(sidecar.lines.filter(({ level, msg }) => level !== "INFO" && !msg.startsWith("GET ")), []);
}

story("a watch that the API server ends is resumed where it was", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const settings = { WATCH_SERVER_TIMEOUT: "4", DEBUG: "true", RESOURCE: "configmap" };
  const sidecar = await at.startReady(settings);
  await resumes(sidecar, at.folder, (text) => at.change("ConfigMap", "a", { data: { "a.txt": text } }));
});

story("a client timeout that is shorter than the server's is one warning, and watches go on", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const settings = { WATCH_CLIENT_TIMEOUT: "3", DEBUG: "true", RESOURCE: "configmap" };
  const sidecar = await at.startReady(settings);
  const [warning, ...more] = sidecar.lines.filter(({ level }) => level === "WARN");
  assert.match(warning?.msg ?? "", /^WATCH_CLIENT_TIMEOUT=3 is shorter than WATCH_SERVER_TIMEOUT=600/);
  assert.deepEqual(more, []);
  sidecar.lines.splice(sidecar.lines.indexOf(warning!), 1);
  await resumes(sidecar, at.folder, (text) => at.change("ConfigMap", "a", { data: { "a.txt": text } }));
  assert.equal((await sidecar.health("/healthz")).status, 200);
});

story("health endpoints say 200 when it works, and others that there is nothing", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a", "b.txt": "b" } });
  const sidecar = await at.startReady();
  for (const path of ["/healthz", "/livez", "/readyz"]) {
    assert.deepEqual(await sidecar.health(path), { status: 200, text: "ok" });
  }
  assert.equal((await sidecar.health("/nonsense")).status, 404);
  assert.equal(await sidecar.metric("k8s_sidecar_files"), 2);
  assert.equal(await sidecar.metric("k8s_sidecar_objects"), 1);
});

story("while the API server cannot be reached it is alive, not ready, and says why", async (at) => {
  const nowhere = { ...await at.serviceAccount(), KUBERNETES_SERVICE_PORT: String(freePort()) };
  const sidecar = await at.start(nowhere);
  await sidecar.logged(/; retrying in /);
  // Of two kinds one tells
  assert.equal(sidecar.lines.filter(({ level }) => level === "WARN").length, 1);
  assert.equal((await sidecar.health("/livez")).status, 200);
  for (const path of ["/readyz", "/healthz"]) {
    const { status, text } = await sidecar.health(path);
    assert.equal(status, 503);
    assert.match(text, /^not synced yet: configmaps in all namespaces: .+$/);
  }
});

story("a health port that is taken is one warning, and files are kept all the same", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const first = await at.startReady();
  const second = await at.start({ HEALTH_PORT: String(first.healthPort), FOLDER: `${at.dir}/second` });
  await second.logged("Initial sync complete, sidecar is ready.");
  assertFolderEquals(`${at.dir}/second`, { "a.txt": "a" });
  assert.deepEqual(second.lines.filter(({ level }) => level !== "INFO").map(({ level }) => level), ["WARN"]);
});

story("SIGTERM and SIGINT end it within a second, with code 0, whatever it is doing", async (at) => {
  const unanswered = Promise.withResolvers<Response>();
  await using application = serve(() => unanswered.promise);
  await at.create("ConfigMap", "a", { data: { "a.txt": "a" } });
  const nowhere = { ...await at.serviceAccount(), KUBERNETES_SERVICE_PORT: String(freePort()) };
  const script = `${at.dir}/script`;
  await Deno.writeTextFile(script, `touch ${at.dir}/started\nsleep 60`);
  const cases: Record<string, [Settings, (sidecar: SidecarProcess) => Promise<unknown>]> = {
    "watching": [{}, (sidecar) => sidecar.ready()],
    "waiting to try again": [
      { ...nowhere, ERROR_THROTTLE_SLEEP: "30" },
      (sidecar) => sidecar.logged(/; retrying in /),
    ],
    "sleeping": [{ METHOD: "SLEEP" }, (sidecar) => sidecar.ready()],
    "calling an application that does not answer": [
      { REQ_URL: `http://127.0.0.1:${application.port}/`, NOTIFY_QUIET_PERIOD: "0", FOLDER: `${at.dir}/2` },
      (sidecar) => eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 1)),
    ],
    "running a script": [
      { SCRIPT: script, NOTIFY_QUIET_PERIOD: "0", FOLDER: `${at.dir}/3` },
      () => eventually(() => Deno.statSync(`${at.dir}/started`)),
    ],
  };
  for (const [what, [settings, until]] of Object.entries(cases)) {
    await assertStopsInASecond(async () => {
      const sidecar = await at.start(settings);
      await until(sidecar);
      return sidecar;
    }).catch((error) => assert.fail(`${what}: ${error.message}`));
  }
  unanswered.resolve(new Response());

  const interrupted = await at.startReady();
  interrupted.kill("SIGINT");
  assert.deepEqual(await interrupted.exited(), { code: 0, signal: null });
});

story("/readyz names the content it waits for, and SIGTERM leaves no part of it behind", async (at) => {
  const unanswered = Promise.withResolvers<Response>();
  await using content = serve(() => unanswered.promise);
  using _ = { [Symbol.dispose]: () => unanswered.resolve(new Response()) };
  await at.create("ConfigMap", "a", { data: { "a.txt.url": `http://127.0.0.1:${content.port}/`, "b.txt": "b" } });
  const sidecar = await at.start();
  await eventually(async () => {
    const { text } = await sidecar.health("/readyz");
    assert.equal(text, `not synced yet: waiting for the content of ${at.folder}/a.txt`);
  });
  assert.equal(temporariesIn(at.folder).filter((path) => !path.endsWith("/record")).length, 1);
  assert.equal((await sidecar.stop()).code, 0);
  assertFolderEquals(at.folder, { "b.txt": "b" });
});

story("what is wrong with the settings is said all at once, and ends it with code 2", async (at) => {
  const sidecar = await at.start({
    LABEL: undefined,
    METHOD: "SOMETIMES",
    HEALTH_PORT: "http",
    REQ_PASSWORD: "hidden",
  });
  assert.deepEqual(await sidecar.exited(), { code: 2, signal: null });
  const faults = sidecar.findAll(/^configuration error: /).map(({ msg }) => msg.split(/[ =]/)[2]);
  assert.deepEqual(faults.sort(), ["HEALTH_PORT", "LABEL", "METHOD"]);
  assert.ok(!sidecar.tail().includes("hidden"));
});
