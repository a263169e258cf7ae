/** How the webhook is called: tokens, headers, netrc, private CAs. No secret of these goes anywhere else. */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { exists } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import { serverCertificate } from "../../support/server_certificate.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Settings, Story } from "../../support/story.ts";
import { fastStory } from "./fast_story.ts";

async function calls(told: Application, count: number): Promise<void> {
  await eventually(() => assert.equal(told.calls.length, count), { timeout: 5000 });
}

function authorization(told: Application): (string | null)[] {
  return told.calls.map(({ headers }) => headers.get("authorization"));
}

function warnings(sidecar: SidecarProcess, part: string | RegExp): string[] {
  return sidecar.findAll(part).filter(({ level }) => level === "WARN").map(({ text }) => text);
}

function assertNowhere(sidecar: SidecarProcess, secret: string): void {
  assert.deepEqual(sidecar.lines.filter(({ text }) => text.includes(secret)), []);
}

/** Lists once with these settings, and returns what the application saw. */
async function calledOnce(at: Story, told: Application, settings: Settings): Promise<SidecarProcess> {
  told.calls.length = 0;
  const folder = await Deno.makeTempDir({ dir: at.dir });
  const access = { REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0" };
  const sidecar = await at.start({ METHOD: "LIST", FOLDER: folder, REQ_URL: told.url, ...access, ...settings });
  assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
  return sidecar;
}

export function tellOfWebhookAccess(story: AddStory): void {
  story("REQ_TOKEN_FILE is read at each call", async (at) => {
    await using told = new Application();
    const file = `${at.dir}/token`;
    Deno.writeTextFileSync(file, "token-1\n");
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ REQ_URL: told.url, REQ_TOKEN_FILE: file, DEBUG: "true" });
    await calls(told, 1);
    // As the kubelet does
    Deno.writeTextFileSync(`${file}.new`, "token-2");
    Deno.renameSync(`${file}.new`, file);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await calls(told, 2);
    assert.deepEqual(authorization(told), ["Bearer token-1", "Bearer token-2"]);
    for (const secret of ["token-1", "token-2"]) assertNowhere(sidecar, secret);
  });

  fastStory(story, "REQ_TOKEN_FILE that comes late holds up the call alone", async (fast, at) => {
    await using told = new Application();
    const file = `${at.dir}/token`;
    const right = "Bearer token-1";
    told.respond = ({ headers }) => new Response("", { status: headers.get("authorization") === right ? 200 : 401 });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await fast.startReady({ REQ_URL: told.url, REQ_TOKEN_FILE: file });
    assert.ok(exists(`${at.folder}/a.txt`));
    await eventually(() =>
      assert.ok(sidecar.lines.some(({ level, msg }) => /WARN|ERROR/.test(level) && msg.includes(file)))
    );
    Deno.writeTextFileSync(file, "token-1");
    await fast.pass(90, () => authorization(told).includes(right), 50);
    await eventually(async () => assert.equal(await sidecar.metric("k8s_sidecar_notification_pending"), 0));
    // Without the token, twice at most in the first minute
    assert.ok(told.calls.length <= 3, `${told.calls.length} calls`);
  });

  story("Credential file that is missing falls back to the variable", async (at) => {
    await using told = new Application();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const settings = { REQ_USERNAME: "admin", REQ_PASSWORD: "s3cret-pw" };
    const file = `${at.dir}/not-there`;
    for (const name of ["REQ_USERNAME_FILE", "REQ_PASSWORD_FILE"]) {
      const sidecar = await calledOnce(at, told, { ...settings, [name]: file });
      assert.deepEqual(authorization(told), [`Basic ${btoa("admin:s3cret-pw")}`], name);
      assert.equal(warnings(sidecar, file).length, 1, name);
      assertNowhere(sidecar, "s3cret-pw");
    }
  });

  story("REQ_HEADERS are the webhook's alone", async (at) => {
    await using told = new Application();
    await using other = new Application();
    other.respond = () => new Response("served");
    const token = `${at.dir}/token`;
    Deno.writeTextFileSync(token, "token-1");
    await at.create("ConfigMap", "a", { data: { "served.txt.url": other.url } });
    const headers = { "X-Scope-OrgID": "tenant", "x-api-key": "s3cret-key" };
    const sidecar = await at.startReady({
      REQ_URL: told.url,
      REQ_METHOD: "POST",
      REQ_PAYLOAD: "reload",
      REQ_HEADERS: JSON.stringify(headers),
      REQ_TOKEN_FILE: token,
      URL_ALLOWED_HOSTS: "*",
      DEBUG: "true",
    });
    await calls(told, 1);
    const seen = told.calls[0]?.headers;
    for (const [name, value] of Object.entries(headers)) assert.equal(seen?.get(name), value);
    assert.equal(told.calls[0]?.body, '"reload"');
    assert.ok(exists(`${at.folder}/served.txt`));
    for (const name of ["authorization", ...Object.keys(headers)]) {
      assert.equal(other.calls[0]?.headers.get(name), null);
    }
    for (const secret of ["s3cret-key", "token-1"]) assertNowhere(sidecar, secret);
  });

  story("NETRC gives the webhook its credentials", async (at) => {
    await using told = new Application();
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const netrc = `${at.dir}/netrc`;
    const settings = { NETRC: netrc };
    const machine = "machine 127.0.0.1\n  login admin\n  password s3cret-pw\n";
    Deno.writeTextFileSync(netrc, `# a comment\nmachine example.com login x password y\n${machine}`);
    const sidecar = await calledOnce(at, told, settings);
    assert.deepEqual(authorization(told), [`Basic ${btoa("admin:s3cret-pw")}`]);
    assertNowhere(sidecar, "s3cret-pw");

    Deno.writeTextFileSync(netrc, "machine example.com login x password y default login any password pw");
    await calledOnce(at, told, settings);
    assert.deepEqual(authorization(told), [`Basic ${btoa("any:pw")}`]);

    Deno.writeTextFileSync(netrc, "machine example.com login x password y");
    await calledOnce(at, told, settings);
    assert.deepEqual(authorization(told), [null]);

    Deno.writeTextFileSync(netrc, machine);
    await calledOnce(at, told, { ...settings, REQ_USERNAME: "u", REQ_PASSWORD: "p" });
    assert.deepEqual(authorization(told), [`Basic ${btoa("u:p")}`]);
  });

  story("Webhook behind a private CA is called", async (at) => {
    const { ca, ...tls } = await serverCertificate();
    await using told = new Application({ tls });
    const file = `${at.dir}/ca.pem`;
    Deno.writeTextFileSync(file, ca);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    for (const name of ["REQ_CA_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]) {
      await calledOnce(at, told, { [name]: file });
      assert.equal(told.calls.length, 1, name);
    }
    await calledOnce(at, told, {});
    assert.equal(told.calls.length, 0, "a CA that nobody named is trusted");
  });
}
