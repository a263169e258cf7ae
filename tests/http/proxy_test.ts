import assert from "node:assert/strict";
import { noProxyWithLoopback, proxyFor } from "../../lib/http/proxy.ts";

const proxies = { HTTPS_PROXY: "http://secure.proxy:3128", http_proxy: "plain.proxy:3128" };

Deno.test("proxyFor() chooses the variable by the URL's scheme", () => {
  assert.equal(proxyFor("https://example.test/", proxies), "http://secure.proxy:3128");
  assert.equal(proxyFor("http://example.test/", proxies), "http://plain.proxy:3128");
  assert.equal(proxyFor("http://example.test/", { ALL_PROXY: "socks5://any:1080" }), "socks5://any:1080");
  assert.equal(proxyFor("http://example.test/", { HTTP_PROXY: "", http_proxy: "" }), undefined);
  assert.equal(proxyFor("https://example.test/", {}), undefined);
});

Deno.test("proxyFor() is undefined for loopback addresses whatever NO_PROXY says", () => {
  for (const host of ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"]) {
    assert.equal(proxyFor(`https://${host}:8443/`, proxies), undefined, host);
  }
});

Deno.test("proxyFor() follows each form of NO_PROXY", () => {
  const exempt = (noProxy: string, url: string) => proxyFor(url, { ...proxies, NO_PROXY: noProxy }) === undefined;
  const cases: [noProxy: string, url: string, exempt: boolean][] = [
    ["*", "https://anything.test/", true],
    ["example.test", "https://example.test/", true],
    ["example.test", "https://www.example.test/", true],
    [".example.test", "https://www.example.test/", true],
    [".example.test", "https://example.test/", true],
    ["*.example.test", "https://www.example.test/", true],
    ["example.test", "https://notexample.test/", false],
    ["EXAMPLE.test", "https://example.TEST/", true],
    ["other.test, .svc", "https://grafana.monitoring.svc/", true],
    ["example.test:8443", "https://example.test:8443/", true],
    ["example.test:8443", "https://example.test/", false],
    ["example.test:443", "https://example.test/", true],
    ["10.96.0.1", "https://10.96.0.1/", true],
    ["10.96.0.1:443", "https://10.96.0.1/", true],
    ["10.96.0.0/12", "https://10.111.255.255/", true],
    ["10.96.0.0/12", "https://10.112.0.0/", false],
    ["10.96.0.0/12", "https://ten.test/", false],
    ["0.0.0.0/0", "https://8.8.8.8/", true],
    ["fd00::/8", "https://[fd12:3456::1]/", true],
    ["fd00::/8", "https://[fe80::1]/", false],
    ["fd00::1", "https://[fd00:0:0::1]/", true],
    ["[fd00::1]:443", "https://[fd00::1]/", true],
    ["", "https://example.test/", false],
    [",, ,", "https://example.test/", false],
    ["nonsense/99", "https://10.0.0.1/", false],
  ];
  for (const [noProxy, url, expected] of cases) assert.equal(exempt(noProxy, url), expected, `${noProxy} ${url}`);
});

Deno.test("noProxyWithLoopback() adds loopback to what is there", () => {
  assert.equal(noProxyWithLoopback({ no_proxy: ".svc" }), ".svc,localhost,127.0.0.0/8,::1");
  assert.equal(noProxyWithLoopback({}), "localhost,127.0.0.0/8,::1");
});

Deno.test("noProxyWithLoopback() says it so that Deno understands", () => {
  assert.equal(noProxyWithLoopback({ NO_PROXY: "*" }), "*,0.0.0.0/0,::/0,localhost,127.0.0.0/8,::1");
  assert.equal(
    noProxyWithLoopback({ NO_PROXY: "*.Example.test, .SVC,," }),
    ".example.test,.svc,localhost,127.0.0.0/8,::1",
  );
});
