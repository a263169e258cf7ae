/** Where a `.url` key may lead (row 2 of the security cases). */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { AddStory, Story } from "../../support/story.ts";

const NO_RETRIES = {
  ...{ REQ_RETRY_TOTAL: "0", REQ_RETRY_CONNECT: "0", REQ_RETRY_READ: "0" },
  /** The default, whatever stories have otherwise. */
  URL_ALLOWED_HOSTS: undefined,
};

/** What can be learnt of a network. */
const NETWORK =
  /connection refused|os error|timed? ?out|\b[45]\d\d\b|127\.0\.0\.1|\[::1?\]|unreachable|reset|resolve|dns|tls|certificate/i;

/** A name of this machine's, other than localhost, that leads to loopback. */
function nameOfLoopback(): string | undefined {
  const lines = Deno.readTextFileSync("/etc/hosts").split("\n");
  const names = lines.filter((line) => /^127\./.test(line)).flatMap((line) => line.trim().split(/\s+/).slice(1));
  return names.find((name) => /^[a-z][-a-z0-9.]*$/.test(name) && !name.startsWith("localhost"));
}

/** An address of this machine's that other machines reach it by. */
function ownAddress(): string | undefined {
  return Deno.networkInterfaces().find(({ family, address }) => family === "IPv4" && !/^(127|169\.254)\./.test(address))
    ?.address;
}

/** Messages of the Events about an object, with the same word for each path. */
async function eventsAbout(at: Story, name: string): Promise<string[]> {
  const { body } = await at.request("GET", `/api/v1/namespaces/${at.namespace}/events`);
  // deno-lint-ignore no-explicit-any
  const items: any[] = body.items.filter((item: any) => item.involvedObject.name === name);
  return items.filter(({ type }) => type === "Warning")
    .map(({ message }) => message.replaceAll(`${at.folder}/`, "").replaceAll(name, "NAME"));
}

export function tellOfAllowedHosts(story: AddStory): void {
  story("URLs of this pod's own and of metadata are refused", async (at) => {
    await using app = new Application();
    app.respond = () => new Response("the admin's settings");
    const name = nameOfLoopback();
    const hosts = [
      ...["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "LOCALHOST.", "127.1"],
      ...["[::ffff:7f00:1]", "x.localhost", "[::]", "0", "%31%32%37.0.0.1", "[64:ff9b::7f00:1]"],
      ...(name === undefined ? [] : [name]),
    ];
    const urls = hosts.map((host) => `http://${host}:${app.port}/`);
    const metadata = ["http://169.254.169.254/latest/meta-data/", "http://[::ffff:a9fe:a9fe]/", "http://[fe80::1]/"];
    const apiServer = `${at.controlPlane.url}/version`;
    const data = Object.fromEntries([...urls, ...metadata, apiServer].map((url, index) => [`${index}.txt.url`, url]));
    await at.create("ConfigMap", "a", { data: { ...data, "beside.txt": "1" } });
    const sidecar = await at.start({ ...NO_RETRIES, METHOD: "LIST", URL_TIMEOUT: "5", REQ_SKIP_TLS_VERIFY: "true" });
    assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
    assert.deepEqual(app.calls.map(({ headers }) => headers.get("host")), []);
    assertFolderEquals(at.folder, { "beside.txt": "1" });
    for (const index of [...urls, ...metadata, apiServer].keys()) {
      assert.ok(sidecar.find(`${index}.txt`), `no line about ${[...urls, ...metadata, apiServer][index]}`);
    }
  });

  story("Redirect to a host that is not allowed is refused", async (at) => {
    await using app = new Application();
    await using inner = new Application();
    inner.respond = () => new Response("the admin's settings");
    app.respond = () => Response.redirect(inner.url, 302);
    await at.create("ConfigMap", "a", { data: { "a.txt.url": app.url, "beside.txt": "1" } });
    await at.startReady({ ...NO_RETRIES, URL_ALLOWED_HOSTS: `127.0.0.1:${app.port}` });
    await eventually(() => assert.ok(app.calls.length > 0));
    await eventually(() => assertFolderEquals(at.folder, { "beside.txt": "1" }));
    assert.equal(inner.calls.length, 0);
  });

  story("Redirect from another host to loopback is refused", async (at) => {
    const address = ownAddress();
    if (address === undefined) return;
    await using inner = new Application();
    inner.respond = () => new Response("the admin's settings");
    let asked = 0;
    await using server = Deno.serve({ hostname: address, port: 0, onListen() {} }, ({ url }) => {
      asked++;
      return url.endsWith("/good") ? new Response("good") : Response.redirect(inner.url, 302);
    });
    const { port } = server.addr;
    const data = { "a.txt.url": `http://${address}:${port}/`, "b.txt.url": `http://${address}:${port}/good` };
    await at.create("ConfigMap", "a", { data });
    await at.startReady(NO_RETRIES);
    await eventually(() => assert.ok(asked >= 2));
    await eventually(() => assertFolderEquals(at.folder, { "b.txt": "good" }));
    assert.equal(inner.calls.length, 0);
  });

  story("URL_ALLOWED_HOSTS admits names, subdomains, addresses and ports", async (at) => {
    await using app = new Application();
    app.respond = ({ path }) => new Response(path);
    await using other = new Application();
    const data = {
      "name.url": `http://localhost:${app.port}/name`,
      "address.url": `http://127.0.0.5:${app.port}/address`,
      "port.url": `http://localhost:${other.port}/port`,
      "long.url": `http://localhost.example.com:${app.port}/long`,
    };
    await at.create("ConfigMap", "a", { data });
    const hosts = `localhost:${app.port}, 127.0.0.4/31`;
    const sidecar = await at.start({ ...NO_RETRIES, URL_ALLOWED_HOSTS: hosts, METHOD: "LIST", URL_TIMEOUT: "5" });
    assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
    assertFolderEquals(at.folder, { name: "/name" });
    assert.equal(other.calls.length, 0);
  });

  story("Events do not tell what stands on which port", async (at) => {
    await using served = new Application();
    served.respond = () => new Response("the admin's settings", { status: 404 });
    await using broken = new Application();
    broken.respond = () => new Response("no", { status: 500 });
    await using closed = new Application({ closed: true });
    const urls = { "not-found": served.url, failing: broken.url, closed: closed.url };
    for (const URL_ALLOWED_HOSTS of ["*", undefined]) {
      const folder = await Deno.makeTempDir({ dir: at.dir });
      const suffix = URL_ALLOWED_HOSTS === undefined ? "-default" : "-any";
      for (const [name, url] of Object.entries(urls)) {
        await at.create("ConfigMap", name + suffix, { data: { "a.txt.url": url }, annotations: { x: folder } });
      }
      const sidecar = await at.startReady({
        ...NO_RETRIES,
        UNIQUE_FILENAMES: "true",
        EVENT_LOGGING: "true",
        URL_ALLOWED_HOSTS,
      });
      const texts: string[][] = [];
      for (const name of Object.keys(urls)) {
        texts.push(
          await eventually(async () => {
            const events = await eventsAbout(at, name + suffix);
            assert.ok(events.length > 0, `no Event about ${name}${suffix}`);
            return events;
          }),
        );
      }
      await sidecar.stop();
      for (const text of texts.flat()) assert.doesNotMatch(text, NETWORK);
      assert.equal(new Set(texts.map(String)).size, 1, texts.join("\n"));
    }
  });
}
