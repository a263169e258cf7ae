import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { openUrlFetcher } from "../../../lib/sidecar/opening/open_downloads.ts";
import { openTransport } from "../../../lib/http/open_transport.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { tempFolder } from "../../support/disk.ts";
import { serve } from "../../support/local_servers.ts";

/** A fetcher as the environment would have it, over real connections, into memory. */
function open(env: Record<string, string> = {}) {
  const { collections: [collection] } = parseConfig({ LABEL: "app", FOLDER: "/data", ...env }).config;
  const transport = openTransport();
  let opened = 0;
  let counted = 0;
  const fetcher = openUrlFetcher({
    collection: collection!,
    transport() {
      opened++;
      return Promise.resolve(transport);
    },
    clock: new FakeClock(),
    log: keptLog(),
    garbage: { count: (bytes) => void (counted += bytes) },
  });
  return {
    counted: () => counted,
    opened: () => opened,
    async fetch(url: string): Promise<string> {
      let text = "";
      const write = (chunk: Uint8Array) => void (text += new TextDecoder().decode(chunk));
      await fetcher.fetchTo(url, { restart: () => void (text = ""), write }, new AbortController().signal);
      return text;
    },
    [Symbol.dispose]: () => transport.close(),
  };
}

/** Serves the `Authorization` that it was sent; redirects `/to?URL`. */
function echo() {
  return serve((request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/to") return Response.redirect(search.slice(1));
    return new Response(request.headers.get("authorization") ?? "nothing");
  });
}

Deno.test("openUrlFetcher() sends REQ_* credentials nowhere, not to REQ_URL's origin", async () => {
  await using application = echo();
  using folder = tempFolder();
  Deno.writeTextFileSync(`${folder.path}/token`, "geheim");
  const url = `http://127.0.0.1:${application.port}`;
  const basic = { REQ_USERNAME: "u", REQ_PASSWORD: "geheim" };
  const others = { REQ_TOKEN_FILE: `${folder.path}/token`, REQ_HEADERS: '{"Authorization":"geheim"}' };
  for (const credentials of [basic, others]) {
    using it = open({ REQ_URL: `${url}/reload`, ...credentials });
    assert.equal(await it.fetch(`${url}/a.json`), "nothing");
  }
});

Deno.test("openUrlFetcher() sends user info and NETRC to their own origin alone", async () => {
  await using first = echo();
  await using second = echo();
  using folder = tempFolder();
  const netrc = `${folder.path}/netrc`;
  Deno.writeTextFileSync(netrc, "machine 127.0.0.1 login n password geheim\n");
  const [a, b] = [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`];
  using it = open({ NETRC: netrc });
  assert.equal(await it.fetch(`http://${a}/`), `Basic ${btoa("n:geheim")}`);
  assert.equal(await it.fetch(`http://u:p@${a}/`), `Basic ${btoa("u:p")}`);
  assert.equal(await it.fetch(`http://u:p@${a}/to?http://${a}/`), `Basic ${btoa("u:p")}`);
  assert.equal(await it.fetch(`http://u:p@${a}/to?http://${b}/`), "nothing");
  assert.equal(await it.fetch(`http://${a}/to?http://${b}/`), "nothing");
});

Deno.test("openUrlFetcher() opens its transport with the first download, and once", async () => {
  await using server = echo();
  using it = open();
  assert.equal(it.opened(), 0);
  await Promise.all([it.fetch(`http://127.0.0.1:${server.port}/`), it.fetch(`http://127.0.0.1:${server.port}/`)]);
  assert.equal(it.opened(), 1);
});

Deno.test("openUrlFetcher() holds downloads to the collection's URL_MAX_BYTES and ENABLE_5XX", async () => {
  await using server = serve(() => new Response("an error page", { status: 501 }));
  const url = `http://127.0.0.1:${server.port}/`;
  using strict = open();
  await assert.rejects(strict.fetch(url), /answered 501/);
  using lenient = open({ ENABLE_5XX: "true" });
  assert.equal(await lenient.fetch(url), "an error page");
  using small = open({ ENABLE_5XX: "true", URL_MAX_BYTES: "10" });
  await assert.rejects(small.fetch(url), /larger than 10 bytes/);
});

Deno.test("openUrlFetcher() counts what is downloaded as garbage", async () => {
  await using server = serve(() => new Response("x".repeat(1000)));
  using it = open();
  await it.fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(it.counted(), 20 * 1024 + 1000);
});
