/** The API server itself: it dies, hangs, forgets everything, no longer knows us, is somebody else. */
import assert from "node:assert/strict";
import { ApiFront } from "../support/api_front.ts";
import { CertificateAuthority } from "../support/certificates.ts";
import { churns } from "../support/churn.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import type { User } from "../support/control_plane.ts";
import { faultStories, seconds } from "../support/fault_story.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Story } from "../support/story.ts";

const OLD: User = { name: "old", token: "old-token", groups: ["system:masters"] };
const NEW: User = { name: "new", token: "new-token", groups: ["system:masters"] };
const READER: User = { name: "reader", token: "reader-token" };

const story = faultStories({ users: [OLD, NEW, READER] });

/** Seconds for which the API server hangs; the long run gives it a whole minute. */
const PAUSE = Deno.env.has("FAULTS_ROUNDS") ? 60 : 5;

async function isHealthy(sidecar: SidecarProcess): Promise<void> {
  for (const path of ["/livez", "/healthz", "/readyz"]) {
    const { status, text } = await sidecar.health(path);
    assert.equal(status, 200, `${path}: ${text}`);
  }
}

/** A storm of changes, of which some fail, while something is done to the API server. */
async function during(at: Story, random: () => number, act: () => Promise<void>): Promise<void> {
  const storm = new AbortController();
  const storms = churns(at, random, 2, { tolerant: true });
  const changes = Promise.all(storms.map((churn) => churn.run(Infinity, storm.signal)));
  try {
    await act();
  } finally {
    storm.abort();
    await changes;
  }
}

story("killed and started again in a storm of changes", async (at, random) => {
  const sidecar = await at.startReady();
  await during(at, random, async () => {
    await seconds(1 + random());
    await at.controlPlane.stopApiServer();
    await seconds(random() * 2);
    await isHealthy(sidecar);
    await at.controlPlane.startApiServer();
    await seconds(1);
  });
  await assertDiskFollows(at, { timeout: 45_000 });
  await isHealthy(sidecar);
}, { restartsApiServer: true });

story(`hangs for ${PAUSE} seconds in a storm of changes, and a sidecar is started meanwhile`, async (at, random) => {
  const sidecar = await at.startReady();
  const second = `${at.dir}/second`;
  await during(at, random, async () => {
    await seconds(1 + random());
    at.controlPlane.pauseApiServer();
    try {
      const late = await at.start({ FOLDER: second });
      await seconds(PAUSE);
      await isHealthy(sidecar);
      await eventually(async () => {
        const { status, text } = await late.health("/readyz");
        assert.equal(status, 503);
        assert.match(text, /^not synced yet: configmaps in all namespaces/);
      });
      assert.deepEqual([...Deno.readDirSync(second)], []);
    } finally {
      at.controlPlane.resumeApiServer();
    }
    await seconds(1);
  });
  await assertDiskFollows(at, { timeout: 60_000 });
  await assertDiskFollows(at, { timeout: 60_000, folder: second });
});

story("the store is lost and begins anew: versions that went backwards are noticed", async (at, random) => {
  const [churn] = churns(at, random, 1);
  await at.create("ConfigMap", "same-name", { data: { "same-name.txt": "of the old world" } });
  const sidecar = await at.startReady();
  await churn!.run(150);
  await assertDiskFollows(at);
  await at.controlPlane.loseEverything();
  await eventually(() => assertFolderEquals(at.folder, {}), { timeout: 45_000 });
  await at.makeNamespace(at.namespace);
  await at.create("ConfigMap", "same-name", { data: { "same-name.txt": "of the new world" } });
  await churns(at, random, 1)[0]!.run(20);
  await assertDiskFollows(at);
  await isHealthy(sidecar);
}, { restartsApiServer: true });

story("the store is lost behind a load balancer, which answers for the API server meanwhile", async (at, random) => {
  await using front = await ApiFront.start(at.controlPlane);
  const [churn] = churns(at, random, 1);
  const sidecar = await at.startReady({ ...await at.serviceAccount(), ...inClusterAddress(front.url) });
  await churn!.run(150);
  await assertDiskFollows(at);
  await front.watching();
  front.answer = () => new Response("<html>no backend</html>", { status: 503 });
  // The watch ends as a watch ends: nothing says yet that anything is wrong
  front.finish();
  await at.controlPlane.loseEverything();
  front.answer = () => undefined;
  await at.makeNamespace(at.namespace);
  await at.create("ConfigMap", "new-world", { data: { "new-world.txt": "1" } });
  await assertDiskFollows(at, { timeout: 45_000 });
  await isHealthy(sidecar);
}, { restartsApiServer: true });

story("the token is rotated under load, and the old one dies at once", async (at, random) => {
  await using front = await ApiFront.start(at.controlPlane);
  const dir = await at.controlPlane.serviceAccountDir(OLD.token, at.namespace);
  const sidecar = await at.startReady({ SERVICE_ACCOUNT_DIR: dir, ...inClusterAddress(front.url) });
  let good = OLD.token;
  front.answer = ({ token }) =>
    token === good ? undefined : Response.json({ kind: "Status", code: 401, message: "Unauthorized" }, { status: 401 });
  await during(at, random, async () => {
    for (const next of [NEW.token, OLD.token, NEW.token]) {
      await seconds(1);
      // As the kubelet does it: the new token is there before the old one dies, but for the third time
      if (next !== good && random() < 0.7) await Deno.writeTextFile(`${dir}/token`, next);
      good = next;
      front.cut();
      await seconds(0.5);
      await Deno.writeTextFile(`${dir}/token`, next);
    }
  });
  await assertDiskFollows(at);
  await isHealthy(sidecar);
});

story("rights are taken away and given back: no file goes, and no change is lost", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  await at.allow(READER.name, { resources: ["configmaps"] });
  await at.create("ConfigMap", "changed", { data: { "changed.txt": "1" } });
  await at.create("ConfigMap", "removed", { data: { "removed.txt": "1" } });
  const sidecar = await at.startReady({
    ...await at.serviceAccount(READER.token),
    ...inClusterAddress(front.url),
    NAMESPACE: at.namespace,
    RESOURCE: "configmap",
  });
  await front.watching();
  await at.forbid(READER.name, { resources: ["configmaps"] });
  front.cut();
  await sidecar.logged(/^not allowed to (list|watch) configmaps in namespace /);
  await at.change("ConfigMap", "changed", { data: { "changed.txt": "2" } });
  await at.delete("ConfigMap", "removed");
  await seconds(2);
  assertFolderEquals(at.folder, { "changed.txt": "1", "removed.txt": "1" });
  await isHealthy(sidecar);
  assert.ok(sidecar.lines.filter(({ level }) => level === "ERROR").length <= 2, "it says so once");
  await at.allow(READER.name, { resources: ["configmaps"] });
  await assertDiskFollows(at);
  assertFolderEquals(at.folder, { "changed.txt": "2" });
  await sidecar.logged("following configmaps in namespace");
});

story(
  "the certificates are replaced: nobody else is believed, and the new authority is as soon as it is mounted",
  async (at) => {
    await using front = await ApiFront.start(at.controlPlane);
    const caDir = await Deno.makeTempDir({ dir: at.dir });
    const authority = await CertificateAuthority.create(caDir);
    await authority.serverCertificate("serving");
    const read = (name: string) => Deno.readTextFile(`${caDir}/${name}`);
    const dir = await at.controlPlane.serviceAccountDir(OLD.token, at.namespace);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ SERVICE_ACCOUNT_DIR: dir, ...inClusterAddress(front.url) });

    await front.replaceCertificate({ cert: await read("serving.crt"), key: await read("serving.key") });
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    const seen = front.requests.length;
    await sidecar.logged(/certificate/i);
    await seconds(1);
    assert.equal(front.requests.length, seen, "a request, and so a token, was sent to a stranger");
    assertFolderEquals(at.folder, { "a.txt": "1" });
    await isHealthy(sidecar);

    await Deno.writeTextFile(`${dir}/ca.crt`, authority.pem);
    await assertDiskFollows(at, { timeout: 45_000 });
    // And a certificate of the same authority is nothing to talk about
    await authority.serverCertificate("next");
    await front.replaceCertificate({ cert: await read("next.crt"), key: await read("next.key") });
    await at.change("ConfigMap", "a", { data: { "a.txt": "3" } });
    await assertDiskFollows(at);
  },
);

story("a CA that is half-written while the token is rejected is read again when it is whole", async (at) => {
  await using front = await ApiFront.start(at.controlPlane);
  const dir = await at.controlPlane.serviceAccountDir(OLD.token, at.namespace);
  await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
  const sidecar = await at.startReady({ SERVICE_ACCOUNT_DIR: dir, ...inClusterAddress(front.url) });
  await front.watching();
  let rejected = 0;
  front.answer = ({ token }) => {
    if (token === NEW.token) return undefined;
    rejected++;
    return Response.json({ kind: "Status", code: 401, message: "Unauthorized" }, { status: 401 });
  };
  const ca = await Deno.readTextFile(`${dir}/ca.crt`);
  await Deno.writeTextFile(`${dir}/ca.crt`, ca.slice(0, ca.length / 2));
  await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
  front.cut();
  await eventually(() => assert.ok(rejected > 0));
  await sidecar.logged(/; retrying in [\d.]+ s$/, { count: 2 });
  await Deno.writeTextFile(`${dir}/ca.crt`, ca);
  await Deno.writeTextFile(`${dir}/token`, NEW.token);
  await assertDiskFollows(at);
  await isHealthy(sidecar);
});
