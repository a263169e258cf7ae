/** One object's fault is that object's (row 5 of the field cases, and its kind). */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { exists, text } from "../../support/disk.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Settings, Story } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

/** Servers on loopback may be asked. */
const DOWNLOADS: Settings = { URL_ALLOWED_HOSTS: "*", REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0" };

/** Lines of errors, also of those that have this in them. */
function errors({ lines }: SidecarProcess, part = ""): string[] {
  return lines.filter(({ level, msg }) => level === "ERROR" && msg.includes(part)).map(({ msg }) => msg);
}

async function list(at: Story, settings: Settings = {}): Promise<SidecarProcess> {
  const sidecar = await at.start({ METHOD: "LIST", ...DOWNLOADS, ...settings });
  assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
  return sidecar;
}

/** Objects with a fault each, besides a good one. Returns the files that must be there. */
async function faultyObjects(at: Story): Promise<Record<string, string>> {
  await Deno.mkdir(`${at.folder}/way.txt/x`, { recursive: true });
  await Deno.writeTextFile(`${at.folder}/way.txt/x/x`, "in the way");
  await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
  await at.create("Secret", "good", { data: { secret: "1" } });
  await at.create("ConfigMap", "in-the-way", { data: { "way.txt": "1", "beside.txt": "1" } });
  await at.create("ConfigMap", "outside", { data: { "outside.txt": "1" }, annotations: { [ANNOTATION]: "/etc/x" } });
  const long = { [ANNOTATION]: "x".repeat(300) };
  await at.create("ConfigMap", "long", { data: { "long.txt": "1" }, annotations: long });
  return { "good.txt": "1", secret: "1", "beside.txt": "1", "way.txt/x/x": "in the way" };
}

function assertFaults(at: Story, sidecar: SidecarProcess): void {
  for (const name of ["in-the-way", "outside", "long"]) {
    assert.equal(errors(sidecar, `${at.namespace}/${name}`).length, 1, `${name}\n${sidecar.tail(50)}`);
  }
}

export function tellOfOneObject(story: AddStory): void {
  story("METHOD=LIST ends with 0 beside a dead URL and a jdbc URL", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("not here", { status: 404 });
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    await at.create("ConfigMap", "dead", { data: { "dead.json.url": host.url, "beside.txt": "1" } });
    const jdbc = "jdbc:postgresql://db.example.com:5432/app";
    await at.create("Secret", "spring", { data: { "spring.datasource.url": jdbc } });
    const sidecar = await list(at);
    assertFolderEquals(at.folder, { "good.txt": "1", "beside.txt": "1", "spring.datasource.url": jdbc });
    assert.equal(errors(sidecar).length, 1, sidecar.tail());
    assert.match(errors(sidecar)[0] ?? "", /dead\.json.*404|404.*dead\.json/);
  });

  story("METHOD=LIST ends with 0 beside a host that refuses or fails", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("oh no", { status: 500 });
    await using nobody = new Application({ closed: true });
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    await at.create("ConfigMap", "a", { data: { "a.txt.url": host.url, "b.txt.url": nobody.url } });
    const sidecar = await list(at);
    assertFolderEquals(at.folder, { "good.txt": "1" });
    for (const name of ["a.txt", "b.txt"]) assert.ok(errors(sidecar, name).length > 0, sidecar.tail());
  });

  story("METHOD=LIST ends with 0 beside objects whose paths cannot be", async (at) => {
    const files = await faultyObjects(at);
    const sidecar = await list(at);
    assertFolderEquals(at.folder, files);
    assertFaults(at, sidecar);
  });

  story("METHOD=WATCH is ready beside objects whose paths cannot be", async (at) => {
    const files = await faultyObjects(at);
    const sidecar = await at.startReady();
    assertFolderEquals(at.folder, files);
    assertFaults(at, sidecar);
    for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await sidecar.health(path)).status, 200, path);
    await at.change("ConfigMap", "good", { data: { "good.txt": "2" } });
    await eventually(() => assertFolderEquals(at.folder, { ...files, "good.txt": "2" }), { timeout: 3000 });
  });

  story("METHOD=SLEEP is ready beside objects whose paths cannot be", async (at) => {
    const files = await faultyObjects(at);
    const sidecar = await at.startReady({ METHOD: "SLEEP", SLEEP_TIME: "0.2" });
    await at.change("ConfigMap", "good", { data: { "good.txt": "2" } });
    await eventually(() => assertFolderEquals(at.folder, { ...files, "good.txt": "2" }), { timeout: 3000 });
    // Each list finds them again, and none of them is news
    assertFaults(at, sidecar);
    assert.equal((await sidecar.health("/healthz")).status, 200);
  });

  story("Folder that is another object's file harms its own object alone", async (at) => {
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    const sidecar = await at.startReady();
    const below = { [ANNOTATION]: "good.txt" };
    // Not older, and later by name: COLLISIONS decides against it
    await at.create("ConfigMap", "nested", { data: { "below.txt": "1" }, annotations: below });
    const told = () => sidecar.findAll(`${at.namespace}/nested`).filter(({ level }) => level === "WARN");
    await eventually(() => assert.equal(told().length, 1));
    await at.change("ConfigMap", "good", { data: { "good.txt": "2" } });
    await eventually(() => assertFolderEquals(at.folder, { "good.txt": "2" }), { timeout: 3000 });
    await at.change("ConfigMap", "nested", { annotations: { [ANNOTATION]: "sub" } });
    await eventually(() => assertFolderEquals(at.folder, { "good.txt": "2", "sub/below.txt": "1" }));
    assert.deepEqual([told().length, errors(sidecar).length], [1, 0], sidecar.tail());
  });

  story("Dead URL turns no probe red and delays no file", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("not here", { status: 404 });
    await at.create("ConfigMap", "dead", { data: { "dead.txt.url": host.url } });
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    const sidecar = await at.startReady(DOWNLOADS);
    for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await sidecar.health(path)).status, 200, path);
    await at.change("ConfigMap", "good", { data: { "good.txt": "2" } });
    await eventually(() => assert.equal(text(`${at.folder}/good.txt`), "2"), { timeout: 3000 });
  });

  story("Key named .url that holds no http URL is a plain file", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("served");
    const plain: Record<string, string> = {
      "jdbc.url": "jdbc:mysql://db/app",
      "amqp.url": "amqp://user:pw@mq:5672/",
      "ftp.url": "ftp://example.com/file",
      "words.url": "see the wiki",
      "empty.url": "",
      "blank.url": " \n",
      "path.url": "/api/v1",
      "scheme.url": "https://",
      "lines.url": "http://example.com\nhttp://example.org\n",
      "json.url": '{"url":"http://example.com"}',
      "host.url": "example.com:80",
    };
    await at.create("ConfigMap", "a", { data: { ...plain, "served.txt.url": `  ${host.url}\n` } });
    await at.create("Secret", "b", { data: { "secret.url": "redis://cache:6379" } });
    await at.create("ConfigMap", "c", { data: { "bytes.url": new Uint8Array([0, 159, 146, 150]) } });
    const sidecar = await at.startReady(DOWNLOADS);
    const files = { "secret.url": "redis://cache:6379", "bytes.url": new Uint8Array([0, 159, 146, 150]) };
    assertFolderEquals(at.folder, { ...plain, ...files, "served.txt": "served" });
    assert.deepEqual(errors(sidecar), []);
  });

  story("Key named .url becomes a file, a download, and a file again", async (at) => {
    await using host = new Application();
    host.respond = () => new Response("served");
    await at.create("ConfigMap", "a", { data: { "x.url": "words" } });
    await at.startReady(DOWNLOADS);
    assertFolderEquals(at.folder, { "x.url": "words" });
    await at.change("ConfigMap", "a", { data: { "x.url": host.url } });
    await eventually(() => assertFolderEquals(at.folder, { x: "served" }));
    await at.change("ConfigMap", "a", { data: { "x.url": "words again" } });
    await eventually(() => assertFolderEquals(at.folder, { "x.url": "words again" }));
  });

  story("Refused change keeps the last accepted files, and says so", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady();
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" }, annotations: { [ANNOTATION]: "/etc/x" } });
    const { msg } = await sidecar.logged(/\/etc\/x/);
    assert.match(msg, /keep|kept|stay|last/i);
    assertFolderEquals(at.folder, { "a.txt": "1" });
    assert.ok(!exists("/etc/x"));
    await at.change("ConfigMap", "a", { annotations: { [ANNOTATION]: null } });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "2" }));
  });
}
