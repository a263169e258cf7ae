import assert from "node:assert/strict";
import { AllowedHosts } from "../../lib/http/allowed_hosts.ts";
import { openTransport } from "../../lib/http/open_transport.ts";
import { follow } from "../../lib/http/redirects.ts";
import { RefusedHostError } from "../../lib/http/transport.ts";
import { serve } from "../support/local_servers.ts";
import { httpsProxy, socksProxy } from "../support/other_proxies.ts";
import { serverCertificate } from "../support/server_certificate.ts";

const certificate = await serverCertificate();

/** The transport of downloads where the environment names a proxy. */
function open(proxy: string, entries?: string[]) {
  const transport = openTransport({
    caCerts: [certificate.ca],
    env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
    hostPolicy: new AllowedHosts({ entries, apiServers: ["10.96.0.1"] }),
  });
  return { ...transport, [Symbol.dispose]: () => transport.close() };
}

for (const [scheme, openProxy] of [["https", () => httpsProxy(certificate)], ["socks5", socksProxy]] as const) {
  Deno.test(`checkedProxies() reaches allowed hosts through an ${scheme} proxy`, async () => {
    await using target = serve(() => new Response("secure"), certificate);
    await using proxy = openProxy();
    using transport = open(proxy.url);
    // In the certificate, and an allowed name with an allowed entry only
    const url = `https://kubernetes.default.svc:${target.port}/`;
    await assert.rejects(transport.fetch(url), RefusedHostError);
    using named = open(proxy.url, ["kubernetes.default.svc"]);
    assert.equal(await (await named.fetch(url)).text(), "secure");
    assert.deepEqual(proxy.seen, [`kubernetes.default.svc:${target.port}`]);
  });

  Deno.test(`checkedProxies() refuses names and literal addresses before an ${scheme} proxy is asked`, async () => {
    await using proxy = openProxy();
    using byDefault = open(proxy.url);
    for (const host of ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "10.96.0.1", "kubernetes.default"]) {
      await assert.rejects(byDefault.fetch(`http://${host}/`), RefusedHostError, host);
    }
    using ranges = open(proxy.url, ["10.0.0.0/8", "example.test"]);
    for (const host of ["other.test", "11.1.1.1"]) {
      await assert.rejects(ranges.fetch(`https://${host}/`), RefusedHostError, host);
    }
    assert.deepEqual(proxy.seen, []);
  });

  Deno.test(`checkedProxies() checks each redirect behind an ${scheme} proxy`, async () => {
    await using target = serve(() => Response.redirect("http://169.254.169.254/latest/meta-data"), certificate);
    await using proxy = openProxy();
    using transport = open(proxy.url, ["kubernetes.default.svc"]);
    const options = { method: "GET" as const, signal: new AbortController().signal, authorizationFor: () => undefined };
    const url = new URL(`https://kubernetes.default.svc:${target.port}/`);
    await assert.rejects(follow(transport, url, options), RefusedHostError);
    assert.equal(proxy.seen.length, 1);
  });
}

Deno.test("checkedProxies() connects directly where NO_PROXY says so", async () => {
  await using target = serve(() => new Response("direct"));
  await using proxy = socksProxy();
  using transport = open(proxy.url, ["127.0.0.0/8"]);
  assert.equal(await (await transport.fetch(`http://127.0.0.1:${target.port}/`)).text(), "direct");
  assert.deepEqual(proxy.seen, []);
});

Deno.test("checkedProxies() refuses when it is closed", async () => {
  await using proxy = socksProxy();
  const transport = open(proxy.url);
  transport.close();
  await assert.rejects(transport.fetch("http://example.test/"), { name: "TransportError", message: /closed/ });
});
