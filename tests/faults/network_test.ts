/** What goes wrong between the sidecar and the API server, on the wire and in proxies on the way. */
import assert from "node:assert/strict";
import { ApiFront, byLine, type SeenRequest } from "../support/api_front.ts";
import { churns } from "../support/churn.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import { faultStories, seconds } from "../support/fault_story.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, type Story } from "../support/story.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const story = faultStories();

/** A sidecar that reaches the API server through a test's proxy. */
async function startBehind(at: Story, url: string, settings: Settings = {}): Promise<SidecarProcess> {
  return await at.startReady({ ...await at.serviceAccount(), ...inClusterAddress(url), ...settings });
}

async function statusOf(sidecar: SidecarProcess, path: string): Promise<number> {
  return (await sidecar.health(path)).status;
}

/** Seconds after which the delays between failures begin anew: a shorter watch is a failure itself. */
const LIVING_WATCH = 1.2;

story("connections are refused and reset while everything changes", async (at, random) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  const storms = churns(at, random, 2);
  await Promise.all(storms.map((churn) => churn.run(10)));
  const sidecar = await startBehind(at, proxy.url);
  for (let round = 0; round < 4; round++) {
    const changes = Promise.all(storms.map((churn) => churn.run(10)));
    if (round % 2 === 0) await proxy.refuse();
    else proxy.reset();
    await changes;
    if (round % 2 === 0) await proxy.listen();
    await assertDiskFollows(at);
  }
  assert.equal(await statusOf(sidecar, "/healthz"), 200);
});

story("connections are reset in the middle of an event, at any byte", async (at, random) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  await at.create("ConfigMap", "large", { data: { "large.txt": "ä".repeat(150_000) } });
  const sidecar = await startBehind(at, proxy.url);
  let resets = 0;
  for (let round = 0; round < 6; round++) {
    let left = Math.floor(random() * 250_000);
    proxy.resetAt = (bytes) => {
      left -= bytes.length;
      if (left >= 0) return undefined;
      proxy.resetAt = () => undefined;
      resets++;
      return bytes.length + left;
    };
    await at.change("ConfigMap", "large", { data: { "large.txt": `${round}${"ö€".repeat(60_000)}` } });
    await assertDiskFollows(at);
  }
  assert.ok(resets >= 3, `only ${resets} resets`);
  assert.equal(await statusOf(sidecar, "/healthz"), 200);
});

story("an event is cut inside a character and inside its JSON, and a list is cut anywhere", async (at, random) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.create("ConfigMap", "cut", { data: { "cut.txt": "€".repeat(1000) } });
  await at.create("Secret", "s", { data: { s: "s" } });
  let cuts = 0;
  /** Lets the bytes before a position pass, then no more, and cuts. */
  const cutAt = (position: (bytes: Uint8Array) => number): Transformer<Uint8Array, Uint8Array> => ({
    transform(chunk, controller) {
      const at = position(chunk);
      controller.enqueue(chunk.subarray(0, Math.max(0, at)));
      if (at >= chunk.length) return;
      cuts++;
      front.bend = () => undefined;
      throw new Error("cut by the test");
    },
  });
  const positions: [string, (bytes: Uint8Array) => number][] = [
    ["after the first byte of a character", (bytes) => bytes.indexOf(0xe2) < 0 ? Infinity : bytes.indexOf(0xe2) + 1],
    ["after the second", (bytes) => bytes.indexOf(0x82) < 0 ? Infinity : bytes.indexOf(0x82) + 1],
    ["before the last brace", (bytes) => bytes.length - 2],
    ["between an event and its newline", (bytes) => bytes.length - 1],
    ["after its first byte", () => 1],
    ["anywhere", (bytes) => Math.floor(random() * bytes.length)],
  ];
  // Of one kind: the other's list may be under way already when the first is cut
  front.bend = ({ isWatch, path }) =>
    isWatch || !path.includes("configmaps") ? undefined : cutAt((bytes) => Math.floor(random() * bytes.length));
  const sidecar = await startBehind(at, front.url);
  for (const [where, position] of positions) {
    const armed = ({ isWatch, path }: SeenRequest) =>
      isWatch && path.includes("configmaps") ? cutAt(position) : undefined;
    front.bend = armed;
    await front.watching();
    await seconds(LIVING_WATCH);
    const since = performance.now();
    await at.change("ConfigMap", "cut", { data: { "cut.txt": "€".repeat(1000 + cuts) } });
    // The watch that is there was not armed yet: it is ended, and the next one is cut
    front.cut();
    await eventually(() => assert.ok(front.watchesSince(since).length > 0));
    await at.change("ConfigMap", "cut", { data: { "cut.txt": `€${where}`.repeat(900) } });
    await eventually(() => assert.notEqual(front.bend, armed, `was not cut ${where}`));
    await assertDiskFollows(at);
  }
  assert.equal(cuts, positions.length + 1);
  assert.equal(await statusOf(sidecar, "/healthz"), 200);
});

story("a black hole is noticed, turns no probe red, and all is well soon after it", async (at) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const settings = { WATCH_CLIENT_TIMEOUT: "2", WATCH_SERVER_TIMEOUT: "2", RESOURCE: "configmap" };
  const sidecar = await startBehind(at, proxy.url, settings);
  proxy.weather = "swallow";
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  const accepted = proxy.accepted;
  await eventually(() => assert.ok(proxy.accepted > accepted, "the dead connection is still used"), {
    timeout: 20_000,
  });
  const contact = 'k8s_sidecar_last_contact_timestamp_seconds{source="configmaps"}';
  const silence = async () => Date.now() / 1000 - (await sidecar.metric(contact) ?? 0);
  await eventually(async () => assert.ok(await silence() > 15), {
    timeout: 25_000,
    interval: 200,
  });
  for (const path of ["/livez", "/readyz", "/healthz"]) assert.equal(await statusOf(sidecar, path), 200, path);
  proxy.weather = "fair";
  const since = performance.now();
  await assertDiskFollows(at);
  await eventually(async () => assert.ok(await silence() < 5), { interval: 200 });
  assert.ok(performance.now() - since < 20_000);
});

story("one byte a second, and then a line that works again", async (at) => {
  await using proxy = await TcpProxy.start(at.controlPlane.url);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await startBehind(at, proxy.url);
  proxy.weather = "trickle";
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  await seconds(3);
  assert.equal(await statusOf(sidecar, "/healthz"), 200);
  proxy.weather = "fair";
  proxy.reset();
  await assertDiskFollows(at);
});

story("the API server is too busy: Retry-After is obeyed, and no list is made", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await startBehind(at, front.url, { RESOURCE: "configmap" });
  await front.watching();
  const refusals: number[] = [];
  front.answer = ({ at }) => {
    refusals.push(at);
    const last = refusals.length === 2;
    if (last) front.answer = () => undefined;
    return new Response("busy", { status: last ? 503 : 429, headers: { "retry-after": last ? "1" : "2" } });
  };
  const since = performance.now();
  front.cut();
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  await assertDiskFollows(at);
  const [first = 0, second = 0] = refusals;
  const [third] = front.requests.filter(({ at }) => at > second);
  assert.ok(second - first >= 1990, `asked again after ${second - first} ms, not 2 s`);
  assert.ok(third !== undefined && third.at - second >= 990);
  assert.ok(!front.requests.some(({ at, isWatch, path }) => at > since && !isWatch && !path.includes("limit=1")));
  assert.equal(await statusOf(sidecar, "/healthz"), 200);
});

const WRONG_ANSWERS: Record<string, () => Response> = {
  "500": () => new Response("oh no", { status: 500 }),
  "503": () => new Response("", { status: 503 }),
  "HTML with status 502": () => html(502),
  "HTML with status 200": () => html(200),
  "HTML with status 200 on one line, without an end": () => new Response("<html>", { status: 200 }),
  "JSON that is no Kubernetes answer": () => Response.json({ hello: ["world"] }),
  "a list that is null": () => Response.json({ kind: "ConfigMapList", metadata: null, items: null }),
  "nothing at all": () => new Response("", { status: 200 }),
  "null, line by line": () => new Response("null\nnull\n"),
  "objects without metadata": () => new Response('{"type":"ADDED","object":{}}\n{"type":"MODIFIED"}\n{}\n[]\n"x"\n7\n'),
  "objects without a name": () =>
    new Response('{"type":"ADDED","object":{"metadata":{"annotations":7,"labels":[]},"data":"x"}}\n'),
  "a list of such": () =>
    Response.json({ metadata: { resourceVersion: "1" }, items: [null, 7, {}, { metadata: {} }, { metadata: null }] }),
};

function html(status: number): Response {
  const body = "<!DOCTYPE html>\n<html><body>\n<h1>Sign in to the network</h1>\n</body></html>\n";
  return new Response(body, { status, headers: { "content-type": "text/html" } });
}

/** Each case has a front, a folder and a sidecar to itself; all are at work at the same time. */
async function sideBySide<T>(
  at: Story,
  cases: Record<string, T>,
  run: (front: ApiFront, value: T, folder: string, what: string, sidecar: SidecarProcess) => Promise<void>,
): Promise<void> {
  const settings = { ERROR_THROTTLE_SLEEP: "1", RESOURCE: "configmap", RESYNC_PERIOD: "0" };
  await Promise.all(
    Object.entries(cases).map(async ([what, value], index) => {
      await using front = await ApiFront.start(at.controlPlane);
      const folder = `${at.dir}/case-${index}`;
      const sidecar = await startBehind(at, front.url, { ...settings, FOLDER: folder });
      await front.watching();
      try {
        await run(front, value, folder, what, sidecar);
      } catch (error) {
        if (error instanceof Error) error.message = `${what}: ${error.message}\n${sidecar.tail()}`;
        throw error;
      }
      await sidecar.kill9();
    }),
  );
}

/** At most one request a second, on average. The first of them are what was under way, and a list. */
function assertCalm(requests: number, since: number): void {
  const passed = (performance.now() - since) / 1000;
  assert.ok(requests > 0, "nothing was asked");
  assert.ok(requests <= 3 + passed, `${requests} requests of one source in ${passed.toFixed(1)} s`);
}

story("a proxy on the way answers instead of the API server: no file goes, and there is no hot loop", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await sideBySide(at, WRONG_ANSWERS, async (front, response, folder, what, sidecar) => {
    const since = performance.now();
    front.answer = response;
    front.cut();
    await seconds(5);
    assertCalm(front.requests.filter(({ at }) => at >= since).length, since);
    assert.ok(sidecar.running, `${what} ended the process`);
    assertFolderEquals(folder, { "a.txt": "1" });
    front.answer = () => undefined;
  });
});

story("after all such answers the files are right again", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
  await startBehind(at, front.url, { RESOURCE: "configmap", RESYNC_PERIOD: "0" });
  for (const [what, response] of Object.entries(WRONG_ANSWERS)) {
    let wrong = 2;
    await front.watching();
    await seconds(LIVING_WATCH);
    front.answer = () => wrong-- > 0 ? response() : undefined;
    front.cut();
    await at.change("ConfigMap", "a", { data: { "a.txt": what } });
    await assertDiskFollows(at).catch((error) => assert.fail(`after ${what}: ${error.message}`));
  }
});

story("a watch that ends at once, with or without an event, is not asked for in a hot loop", async (at) => {
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const object = (version?: string) => ({
    metadata: {
      ...{ name: "a", namespace: at.namespace, uid: "x", creationTimestamp: "2020-01-01T00:00:00Z" },
      ...(version === undefined ? {} : { resourceVersion: version }),
    },
    data: { "a.txt": "1" },
  });
  let newest = 1_000_000;
  const endings: Record<string, () => string> = {
    "without an event": () => "",
    "with an event that has no version": () => line("MODIFIED", object()),
    "with an event of an old version": () => line("MODIFIED", object("1")),
    "with an event each time": () => line("MODIFIED", object(String(newest++))),
    "with a bookmark": () => line("BOOKMARK", object(String(newest++))),
    "with an ERROR that is not 410": () => line("ERROR", { kind: "Status", code: 500, message: "not now" }),
    "with an ERROR without a code": () => line("ERROR", { message: "?" }),
    "with 410 each time": () => line("ERROR", { kind: "Status", code: 410, reason: "Expired", message: "too old" }),
    "with 410 after an event": () =>
      line("MODIFIED", object(String(newest++))) + line("ERROR", { kind: "Status", code: 410, message: "too old" }),
  };
  await sideBySide(at, endings, async (front, body, folder) => {
    front.answer = ({ isWatch }) => isWatch ? new Response(body()) : undefined;
    const since = performance.now();
    front.cut();
    await seconds(6);
    const watches = front.watchesSince(since).length;
    const requests = front.requests.filter(({ at }) => at >= since).length;
    assertCalm(watches, since);
    assertCalm(requests - watches, since);
    assertFolderEquals(folder, { "a.txt": "1" });
  });
});

story("a version that the API server refuses again and again is given up", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  await startBehind(at, front.url, { RESOURCE: "configmap", RESYNC_PERIOD: "0" });
  await front.watching();
  // Only a list gets out of this: the event that comes next cannot be decoded by this server
  let listed = false;
  front.answer = ({ isWatch, path }) => {
    if (!isWatch) listed ||= path.includes("limit=500");
    if (!isWatch || listed) return undefined;
    return new Response(line("ERROR", { kind: "Status", code: 500, message: "unable to decode watch event" }));
  };
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  front.cut();
  await assertDiskFollows(at);
});

story(
  "events that come twice, late, in the wrong order or without a version end in the right files",
  async (at, random) => {
    await using front = await ApiFront.start(at.controlPlane);
    const storms = churns(at, random, 2, { objects: 4 });
    await Promise.all(storms.map((churn) => churn.run(5)));
    const bent = { twice: 0, swapped: 0, old: 0, versionless: 0 };
    front.bend = ({ isWatch }) => {
      if (!isWatch) return undefined;
      const earlier: string[] = [];
      let held: string | undefined;
      return byLine((line) => {
        const dice = random();
        const out = held === undefined ? [line] : [line, held];
        if (held !== undefined) bent.swapped++;
        held = undefined;
        if (dice < 0.15) {
          bent.twice++;
          out.push(line);
        } else if (dice < 0.25 && earlier.length > 0) {
          bent.old++;
          out.push(earlier[Math.floor(random() * earlier.length)]!);
        } else if (dice < 0.3) {
          held = out.shift();
        } else if (dice < 0.35) {
          bent.versionless++;
          out.push(line.replaceAll(/"resourceVersion":"\d+",?/g, ""));
        }
        earlier.push(line);
        return out;
      });
    };
    await startBehind(at, front.url);
    for (let portion = 0; portion === 0 || (portion < 10 && !(bent.twice > 0 && bent.old > 0)); portion++) {
      await Promise.all(storms.map((churn) => churn.run(60)));
    }
    // What was held back, or replaced, comes with the watches that follow
    front.bend = () => undefined;
    front.cut();
    await assertDiskFollows(at);
    assert.ok(bent.twice > 0 && bent.old > 0, JSON.stringify(bent));
  },
);

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}
