import assert from "node:assert/strict";
import { AllowedHosts, parseEntry } from "../../lib/http/allowed_hosts.ts";

const byDefault = new AllowedHosts({ entries: undefined, apiServers: ["10.96.0.1"] });

Deno.test("AllowedHosts refuses this pod, the node's own addresses and the API server by default", () => {
  for (
    const host of [
      "127.0.0.1",
      "127.8.9.1",
      "localhost",
      "a.localhost",
      "localhost.",
      "0.0.0.0",
      "2130706433",
      "0x7f.1",
      "0177.0.0.1",
      "[::1]",
      "[::]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::127.0.0.1]",
      "[64:ff9b::7f00:1]",
      "[2002:7f00:1::]",
      "169.254.169.254",
      "[fe80::1]",
      "[fd00:ec2::254]",
      "[fd00:ec2::23]",
      "[fd20:ce::254]",
      "100.100.100.200",
      "192.0.0.192",
      "168.63.129.16",
      "10.96.0.1",
      "[::ffff:10.96.0.1]",
    ]
  ) {
    assert.equal(byDefault.byName(new URL(`http://${host}:3000/`)), "refused", host);
  }
});

Deno.test("AllowedHosts decides about a name by its address", () => {
  const url = new URL("https://grafana.com/dashboard");
  assert.equal(byDefault.byName(url), undefined);
  const addresses = ["93.184.216.34", "10.1.2.3", "2606:2800::1", "127.0.0.1", "169.254.169.254", "::ffff:10.96.0.1"];
  assert.deepEqual(addresses.map((address) => byDefault.admits(url, address)), [true, true, true, false, false, false]);
});

Deno.test("AllowedHosts refuses the API server by its name", () => {
  const hosts = new AllowedHosts({ entries: undefined, apiServers: ["api.example.com"] });
  assert.equal(hosts.byName(new URL("https://API.example.com./version")), "refused");
});

Deno.test("AllowedHosts with entries admits what they name, and nothing else", () => {
  const entries = ["grafana.com", "*.example.com", "10.0.0.0/8", "localhost:8080", "[::1]:9090", "192.0.2.1"];
  const hosts = new AllowedHosts({ entries, apiServers: ["10.96.0.1"] });
  const cases: [url: string, address: string, isAdmitted: boolean][] = [
    ["https://grafana.com/", "127.0.0.1", true],
    ["https://www.grafana.com/", "93.184.216.34", false],
    ["https://a.b.example.com/", "93.184.216.34", true],
    ["https://example.com/", "93.184.216.34", false],
    ["https://notexample.com/", "93.184.216.34", false],
    ["https://internal/", "10.9.9.9", true],
    ["https://internal/", "11.9.9.9", false],
    ["http://localhost:8080/", "127.0.0.1", true],
    ["http://localhost/", "127.0.0.1", false],
    ["http://[::1]:9090/", "::1", true],
    ["http://[::1]:9091/", "::1", false],
    ["http://192.0.2.1:81/", "192.0.2.1", true],
    ["http://10.96.0.1/", "10.96.0.1", true],
    ["http://[::ffff:10.1.1.1]/", "::ffff:10.1.1.1", true],
  ];
  for (const [url, address, isAdmitted] of cases) {
    assert.equal(hosts.admits(new URL(url), address), isAdmitted, `${url} at ${address}`);
  }
});

Deno.test("AllowedHosts admits any host with *", () => {
  const hosts = new AllowedHosts({ entries: ["*"], apiServers: ["10.96.0.1"] });
  assert.ok(hosts.admits(new URL("http://localhost/"), "127.0.0.1"));
  assert.equal(hosts.byName(new URL("http://169.254.169.254/")), "allowed");
});

Deno.test("parseEntry() refuses what is no host, address or range", () => {
  const wrong = ["", "http://a", "a/b", "*.*.com", "a:b", "10.0.0.0/33", "::/129", "[::1", "a..b", "*a.com"];
  for (const text of wrong) assert.equal(parseEntry(text), undefined, text);
  for (const text of ["*", "a", "A.b-c.d.", "*.a.b", "a:80", "::1", "[::1]:80", "fe80::/10", "10.0.0.0/8"]) {
    assert.notEqual(parseEntry(text), undefined, text);
  }
});

Deno.test("AllowedHosts admits by a proxy only what names decide", () => {
  const admits = (entries: string[] | undefined, host: string) =>
    new AllowedHosts({ entries, apiServers: ["10.96.0.1"] }).admitsByProxy(new URL(`http://${host}/`));
  assert.deepEqual([admits(undefined, "example.com"), admits(undefined, "127.0.0.1")], [true, false]);
  const entries = ["10.0.0.0/8", "example.com"];
  assert.deepEqual([admits(entries, "example.com"), admits(entries, "10.1.1.1")], [true, true]);
  assert.deepEqual([admits(entries, "other.example.com"), admits(entries, "11.1.1.1")], [false, false]);
});

Deno.test("AllowedHosts refuses the API server's names by default", () => {
  for (
    const host of ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
  ) {
    assert.equal(byDefault.byName(new URL(`https://${host}/`)), "refused", host);
  }
  for (const host of ["kubernetes.io", "kubernetes.example.com"]) {
    assert.equal(byDefault.byName(new URL(`https://${host}/`)), undefined, host);
  }
});
