/** When the application is told, and what its faults do to anything else. */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { text } from "../../support/disk.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Settings } from "../../support/story.ts";
import { fastStory } from "./fast_story.ts";

const NO_RETRIES: Settings = { REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0", REQ_RETRY_READ: "0" };

async function delivered(sidecar: SidecarProcess): Promise<void> {
  await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
}

function errors({ lines }: SidecarProcess): string[] {
  return lines.filter(({ level }) => level === "ERROR").map(({ msg }) => msg);
}

export function tellOfNotifications(story: AddStory): void {
  story("Twelve ConfigMaps at the start are one reload", async (at) => {
    await using told = new Application();
    for (let number = 1; number <= 12; number++) {
      await at.create("ConfigMap", `a-${number}`, { data: { [`${number}.txt`]: "1" } });
    }
    const sidecar = await at.startReady({ REQ_URL: told.url });
    await delivered(sidecar);
    assert.equal(told.calls.length, 1);
  });

  fastStory(story, "Webhook that refuses connections for three seconds is called once", async (fast, at) => {
    await using told = new Application({ closed: true });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await fast.startReady({ REQ_URL: told.url });
    await fast.pass(3, undefined, 10);
    told.listen();
    await fast.pass(20, () => told.calls.length > 0, 10);
    await delivered(sidecar);
    await fast.pass(60);
    assert.equal(told.calls.length, 1);
    assert.deepEqual(sidecar.lines.filter(({ level }) => level === "WARN").length <= 1, true, sidecar.tail());
  });

  story("METHOD=LIST ends with 0 though the webhook fails", async (at) => {
    await using told = new Application();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    for (const status of [401, 404, 500, 503]) {
      told.respond = () => new Response("", { status });
      const folder = `${at.folder}-${status}`;
      const sidecar = await at.start({ METHOD: "LIST", FOLDER: folder, REQ_URL: told.url, ...NO_RETRIES });
      assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
      assertFolderEquals(folder, { "a.txt": "1" });
      assert.ok(errors(sidecar).some((line) => line.includes(String(status))), sidecar.tail());
    }
  });

  story("METHOD=LIST ends with 0 though nobody listens, or SCRIPT fails", async (at) => {
    await using nobody = new Application({ closed: true });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const script = `${at.dir}/script`;
    Deno.writeTextFileSync(script, "#!/bin/sh\nexit 7\n");
    for (const settings of [{ REQ_URL: nobody.url }, { SCRIPT: script }] as Settings[]) {
      const folder = await Deno.makeTempDir({ dir: at.dir });
      const sidecar = await at.start({ METHOD: "LIST", FOLDER: folder, ...NO_RETRIES, ...settings });
      assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
      assertFolderEquals(folder, { "a.txt": "1" });
      assert.ok(errors(sidecar).length > 0, sidecar.tail());
    }
  });

  story("Files and readiness do not wait for a webhook that is silent", async (at) => {
    await using told = new Application();
    told.hold();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ REQ_URL: told.url });
    await eventually(() => assert.equal(told.calls.length, 1));
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await eventually(() => assert.equal(text(`${at.folder}/a.txt`), "2"), { timeout: 3000 });
    assert.equal((await sidecar.health("/healthz")).status, 200);
  });

  story("SCRIPT slower than changes runs alone and sees the last", async (at) => {
    const log = `${at.dir}/log`;
    const script = `${at.dir}/script`;
    const [begin, end] = [
      `echo begin $SIDECAR_CHANGED_FILES >> ${log}`,
      `echo end $(cat ${at.folder}/a.txt) >> ${log}`,
    ];
    Deno.writeTextFileSync(script, `#!/bin/sh\n${begin}\nsleep 0.7\n${end}\n`);
    Deno.chmodSync(script, 0o755);
    await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
    const sidecar = await at.startReady({ SCRIPT: script, NOTIFY_QUIET_PERIOD: "0.05" });
    await eventually(() => assert.match(text(log), /begin/));
    for (let version = 1; version <= 20; version++) {
      await at.change("ConfigMap", "a", { data: { "a.txt": String(version) } });
    }
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" } });
    await eventually(() => assert.equal(text(`${at.folder}/b.txt`), "1"));
    await delivered(sidecar);
    const lines = text(log).trim().split("\n");
    assert.deepEqual(
      lines.map((line) => line.split(" ")[0]),
      lines.map((_, index) => index % 2 === 0 ? "begin" : "end"),
    );
    assert.equal(lines.at(-1), "end 20");
    assert.ok(lines.some((line) => line.includes("b.txt")));
    assert.ok(lines.length <= 10, `it ran ${lines.length / 2} times`);
  });

  story("SCRIPT's children that live on hold nothing up", async (at) => {
    await using told = new Application();
    const script = `${at.dir}/script`;
    Deno.writeTextFileSync(script, "#!/bin/sh\nsleep 2.5 &\n");
    Deno.chmodSync(script, 0o755);
    await at.create("ConfigMap", "a", { data: { "a.txt": "0" } });
    const sidecar = await at.startReady({ SCRIPT: script, REQ_URL: told.url, NOTIFY_QUIET_PERIOD: "0.05" });
    await eventually(() => assert.equal(told.calls.length, 1), { timeout: 2000 });
    await at.change("ConfigMap", "a", { data: { "a.txt": "1" } });
    await eventually(() => assert.equal(told.calls.length, 2), { timeout: 2000 });
    const { code, ms } = await sidecar.stop();
    assert.equal(code, 0);
    assert.ok(ms < 2000, `it took ${ms} ms`);
  });
}
