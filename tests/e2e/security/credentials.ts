/** What of the webhook's and of a URL's credentials reaches whom (rows 1 and 14 of the security cases). */
import assert from "node:assert/strict";
import { Application, type Call } from "../../support/application.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { AddStory } from "../../support/story.ts";

const PASSWORD = "the-admin-password";

/** The webhook's credentials of every kind. */
const WEBHOOK = { REQ_USERNAME: "admin", REQ_PASSWORD: PASSWORD, REQ_HEADERS: '{"X-Api-Key":"the-key"}' };

/** Servers on loopback may be asked. */
const DOWNLOADS = { URL_ALLOWED_HOSTS: "*", REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0" };

function headersOf({ headers }: Call): string {
  return JSON.stringify([...headers]);
}

export function tellOfCredentials(story: AddStory): void {
  story("URL on the webhook's own origin gets none of its credentials", async (at) => {
    await using app = new Application();
    app.respond = ({ path, headers }) =>
      path === "/reload" || headers.has("authorization") || headers.has("x-api-key")
        ? new Response("the admin's settings")
        : new Response("log in", { status: 401 });
    const settings = new URL("/api/admin/settings", app.url).href;
    await at.create("ConfigMap", "a", { data: { "settings.json.url": settings, "beside.txt": "1" } });
    await at.startReady({ ...DOWNLOADS, ...WEBHOOK, REQ_URL: app.url });
    await eventually(() => {
      assert.ok(app.calls.some(({ path, headers }) => path === "/reload" && headers.get("x-api-key") === "the-key"));
      assert.ok(app.calls.some(({ path }) => path === "/api/admin/settings"));
    });
    for (const call of app.calls.filter(({ path }) => path !== "/reload")) {
      assert.doesNotMatch(headersOf(call), /authorization|x-api-key|the-key/i);
    }
    assertFolderEquals(at.folder, { "beside.txt": "1" });
  });

  story("REQ_TOKEN_FILE is for the webhook alone", async (at) => {
    await using app = new Application();
    const file = `${at.dir}/token`;
    await Deno.writeTextFile(file, "the-token");
    const download = new URL("/api/admin/settings", app.url).href;
    await at.create("ConfigMap", "a", { data: { "settings.json.url": download } });
    await at.startReady({ ...DOWNLOADS, REQ_TOKEN_FILE: file, REQ_URL: app.url });
    await eventually(() => {
      assert.ok(app.calls.some(({ path, headers }) => path === "/reload" && headers.has("authorization")));
      assert.ok(app.calls.some(({ path }) => path === "/api/admin/settings"));
    });
    for (const call of app.calls.filter(({ path }) => path !== "/reload")) {
      assert.doesNotMatch(headersOf(call), /authorization|the-token/i);
    }
  });

  story("User information in a URL reaches its origin, and no log", async (at) => {
    await using host = new Application();
    await using other = new Application();
    host.respond = () => Response.redirect(other.url, 302);
    other.respond = () => new Response("oh no", { status: 404 });
    const url = new URL(host.url);
    url.username = "user";
    url.password = "url-password";
    await at.create("ConfigMap", "a", { data: { "a.txt.url": `${url}?sig=the-signature` } });
    const sidecar = await at.startReady({ ...DOWNLOADS, EVENT_LOGGING: "true", LOG_LEVEL: "DEBUG" });
    await eventually(() => assert.ok(other.calls.length > 0));
    assert.equal(host.calls[0]?.headers.get("authorization"), `Basic ${btoa("user:url-password")}`);
    for (const call of other.calls) assert.doesNotMatch(headersOf(call), /authorization/i);
    await sidecar.stop();
    const said = sidecar.lines.map(({ text }) => text).join("\n");
    const { body } = await at.request("GET", `/api/v1/namespaces/${at.namespace}/events`);
    assert.doesNotMatch(said + JSON.stringify(body), /url-password|the-signature/);
  });

  story("Webhook that answers 307 to another origin keeps the payload", async (at) => {
    await using app = new Application();
    await using other = new Application();
    app.respond = () => new Response(null, { status: 307, headers: { location: other.url } });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({
      ...{ ...WEBHOOK, REQ_URL: app.url, REQ_METHOD: "POST", REQ_PAYLOAD: '{"secret":"payload"}' },
      REQ_RETRY_TOTAL: "0",
    });
    await sidecar.logged(/another origin|redirect/i);
    assert.match(app.calls[0]?.body ?? "", /payload/);
    assert.deepEqual(other.calls, []);
  });
}
