/** CHECK_PERIOD: what somebody does to our files is healed by itself, and costs the API server nothing while all is well. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ApiFront } from "../support/api_front.ts";
import type { User } from "../support/control_plane.ts";
import { fastClock, withFastClock } from "../support/fast_clock.ts";
import { serve } from "../support/local_servers.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";

/** May list and watch, and not read a single object. */
const LISTER: User = { name: "lister", token: "lister-token" };

const story = stories({ users: [LISTER] });

/** No list by itself, and a look at the disk each second. */
const SETTINGS: Settings = { CHECK_PERIOD: "1", RESYNC_PERIOD: "0", RESOURCE: "configmap" };

const HARM: Record<string, (path: string) => void> = {
  "removed": (path) => Deno.removeSync(path),
  "truncated": (path) => Deno.truncateSync(path, 3),
  "rewritten with the same size": (path) => Deno.writeTextFileSync(path, "the wrong text", { create: false }),
  "replaced by another file": (path) => replace(path, "the wrong text"),
  "replaced by a symlink": (path) => {
    Deno.removeSync(path);
    Deno.symlinkSync("/dev/null", path);
  },
};

/** Puts another file in its place; the inode alone tells. */
function replace(path: string, text: string): void {
  const { mtime } = Deno.statSync(path);
  assert.ok(mtime !== null);
  // Beside the folder, where no check meets it
  const other = `${dirname(dirname(path))}/other`;
  Deno.writeTextFileSync(other, text, { mode: 0o644 });
  Deno.utimeSync(other, mtime, mtime);
  Deno.renameSync(other, path);
}

const FILES = { "a.txt": "the right text", "b.txt": "b" };

async function startBehind(at: Story, front: ApiFront, settings: Settings = {}, through: string[] = []) {
  await at.create("ConfigMap", "a", { data: { "a.txt": FILES["a.txt"] } });
  await at.create("ConfigMap", "b", { data: { "b.txt": FILES["b.txt"] } });
  const address = { ...await at.serviceAccount(), ...inClusterAddress(front.url) };
  const sidecar = await at.startReady({ ...SETTINGS, ...address, ...settings }, { through });
  await front.watching();
  return sidecar;
}

/** Requests since a moment that are no watches. */
function askedSince({ requests }: ApiFront, since: number): string[] {
  return requests.filter(({ at, isWatch }) => at > since && !isWatch).map(({ path }) => path);
}

story("Check heals what somebody did to a file, without a list", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await startBehind(at, front);
  const since = performance.now();
  for (const [what, harm] of Object.entries(HARM)) {
    harm(`${at.folder}/a.txt`);
    await eventually(() => assertFolderEquals(at.folder, FILES), { timeout: 6000 })
      .catch((error) => assert.fail(`${what}: ${error.message}`));
  }
  const asked = askedSince(front, since);
  assert.ok(asked.length >= Object.keys(HARM).length, `${asked.length} requests`);
  const others = asked.filter((path) => !path.endsWith(`/namespaces/${at.namespace}/configmaps/a`));
  assert.deepEqual(others, [], "only the object itself is read");
});

story("Check heals a directory that somebody removed", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.create("ConfigMap", "deep", {
    data: { "deep.txt": "1" },
    annotations: { "k8s-sidecar-target-directory": "team/one" },
  });
  await startBehind(at, front);
  Deno.removeSync(`${at.folder}/team`, { recursive: true });
  await eventually(() => assertFolderEquals(at.folder, { ...FILES, "team/one/deep.txt": "1" }), { timeout: 6000 });
});

story("Check leaves a file that was only touched", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  let notified = 0;
  await using application = serve(() => {
    notified++;
    return new Response("ok");
  });
  const settings = { REQ_URL: `http://127.0.0.1:${application.port}/reload`, REQ_SKIP_INIT: "true" };
  await startBehind(at, front, settings);
  const path = `${at.folder}/a.txt`;
  const since = performance.now();
  const touched = new Date(Date.UTC(2020, 0, 1));
  Deno.utimeSync(path, touched, touched);
  const { ino } = Deno.statSync(path);
  await eventually(() => assert.ok(askedSince(front, since).length > 0, "nobody looked"), { timeout: 6000 });
  // A real change comes after what would have been told of the touched file
  Deno.removeSync(`${at.folder}/b.txt`);
  await eventually(() => assert.equal(notified, 1));
  assertFolderEquals(at.folder, FILES);
  const found = Deno.statSync(path);
  assert.deepEqual([found.ino, found.mtime], [ino, touched]);
  assert.ok(askedSince(front, since).length <= 3, "a file that was touched is read again and again");
});

story("Check without the right to get relists, with one warning", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.allow(LISTER.name, { resources: ["configmaps"], verbs: ["list", "watch"] });
  const settings = {
    ...await at.serviceAccount(LISTER.token),
    ...inClusterAddress(front.url),
    NAMESPACE: at.namespace,
  };
  const sidecar = await startBehind(at, front, settings);
  for (const round of [1, 2]) {
    Deno.removeSync(`${at.folder}/a.txt`);
    await eventually(() => assertFolderEquals(at.folder, FILES), { timeout: 6000 })
      .catch((error) => assert.fail(`round ${round}: ${error.message}`));
  }
  const [warning, ...more] = sidecar.lines.filter(({ level }) => level === "WARN" || level === "ERROR");
  assert.match(warning?.msg ?? "", /\bget\b/);
  assert.deepEqual(more, []);
});

const quiet = withFastClock("Check asks for nothing while all is well");

story(quiet.name, async (at) => {
  using clock = fastClock();
  await using front = await ApiFront.start(at.controlPlane);
  const sidecar: SidecarProcess = await startBehind(at, front, {}, clock.through);
  const seen = front.requests.length;
  const wake = () => sidecar.health("/livez");
  await clock.fastForward(5, wake);
  // As on a volume whose inodes do not last: the file's hash says that it is the same
  replace(`${at.folder}/b.txt`, FILES["b.txt"]);
  await clock.fastForward(10, wake);
  assert.equal(front.requests.length, seen);
}, quiet);
