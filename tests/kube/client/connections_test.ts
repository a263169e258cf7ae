import assert from "node:assert/strict";
import { type ConnectionOptions, Connections } from "../../../lib/kube/client/connections.ts";
import type { ClusterAccess, Credentials } from "../../../lib/kube/client/credentials.ts";
import { CredentialsError } from "../../../lib/kube/client/errors.ts";
import { KubeClient } from "../../../lib/kube/client/client.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { encode, listen, serve, until } from "../../support/local_servers.ts";
import { listAt, ScriptedApi } from "../../support/scripted_api.ts";
import { serverCertificate } from "../../support/server_certificate.ts";

const [first, second] = await Promise.all([serverCertificate(), serverCertificate()]);

/** Credentials that a test can change, and that keep how they were asked for. */
class ChangingCredentials implements Credentials {
  readonly origin = "the token in /sa/token";
  readonly maxAge = 60;
  readonly loads: boolean[] = [];
  failure: Error | undefined;
  /** Set to hold back what is loaded. */
  hold: Promise<void> | undefined;

  constructor(public access: Partial<ClusterAccess> & { server: string }) {}

  async load(rejected: boolean): Promise<ClusterAccess> {
    this.loads.push(rejected);
    await this.hold;
    if (this.failure !== undefined) throw this.failure;
    return { namespace: "default", headers: {}, skipTlsVerify: false, ...this.access };
  }
}

function connections(credentials: Credentials, options: Partial<ConnectionOptions> = {}) {
  const clock = new FakeClock();
  return { clock, kept: new Connections({ credentials, skipTlsVerify: false, env: {}, clock, ...options }) };
}

async function list(client: KubeClient): Promise<string> {
  const page = client.list({ kind: "ConfigMap" }, {}, new AbortController().signal);
  const { value } = await page.next();
  return (value as { resourceVersion: string }).resourceVersion;
}

const unauthorized = () => new Response(null, { status: 401 });

Deno.test("current() loads once for all who ask at the same time, and not again before maxAge", async () => {
  const credentials = new ChangingCredentials({ server: "http://127.0.0.1:1" });
  const { clock, kept } = connections(credentials);
  const [a, b] = await Promise.all([kept.current(), kept.current()]);
  assert.equal(a, b);
  await clock.advance(60);
  assert.equal(await kept.current(), a);
  assert.deepEqual(credentials.loads, [false]);
  kept.close();
});

Deno.test("current() reads credentials again after maxAge, and keeps the transport when TLS stays as it is", async () => {
  const credentials = new ChangingCredentials({ server: "http://127.0.0.1:1" });
  const { clock, kept } = connections(credentials);
  const old = await kept.current();
  credentials.access = { server: "http://127.0.0.1:1", headers: { authorization: "Bearer new" } };
  await clock.advance(61);
  const [a, b] = await Promise.all([kept.current(), kept.current()]);
  assert.equal(a, b);
  assert.equal(a.transport, old.transport);
  assert.equal(a.access.headers.authorization, "Bearer new");
  assert.equal(credentials.loads.length, 2);
  kept.close();
});

Deno.test("current() throws while credentials cannot be read, and goes on over the same transport after that", async () => {
  const credentials = new ChangingCredentials({ server: "http://127.0.0.1:1" });
  const { clock, kept } = connections(credentials);
  credentials.failure = new CredentialsError("no token");
  await assert.rejects(kept.current(), credentials.failure);
  credentials.failure = undefined;
  const { transport } = await kept.current();
  await clock.advance(61);
  credentials.failure = new CredentialsError("no token again");
  const outcomes = await Promise.allSettled([kept.current(), kept.current()]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "rejected"]);
  credentials.failure = undefined;
  assert.equal((await kept.current()).transport, transport);
  kept.close();
});

Deno.test("afterRejection() loads once for several who were rejected with the same credentials", async () => {
  const credentials = new ChangingCredentials({ server: "http://127.0.0.1:1" });
  const { kept } = connections(credentials);
  const rejected = await kept.current();
  const [a, b] = await Promise.all([kept.afterRejection(rejected), kept.afterRejection(rejected)]);
  assert.deepEqual([a === b, a === rejected, credentials.loads], [true, false, [false, true]]);
  assert.equal(await kept.afterRejection(rejected), a, "somebody who comes late has what was loaded since");
  await kept.afterRejection(a);
  assert.deepEqual(credentials.loads, [false, true, true]);
  kept.close();
});

Deno.test("failed() has the next request use a new transport, but not at each of many failures", async () => {
  const credentials = new ChangingCredentials({ server: "http://127.0.0.1:1" });
  const { clock, kept } = connections(credentials);
  const old = await kept.current();
  kept.failed(old);
  assert.equal((await kept.current()).transport, old.transport, "it was made a moment ago");
  await clock.advance(6);
  kept.failed(old);
  kept.failed(old);
  const next = await kept.current();
  assert.notEqual(next.transport, old.transport);
  kept.failed(old);
  assert.equal(await kept.current(), next, "a late failure of the old one says nothing of the new one");
  kept.close();
});

Deno.test("current() trusts a CA that replaced the old one", async () => {
  await using server = serve(() => new Response("secure"), second);
  const credentials = new ChangingCredentials({ server: `https://127.0.0.1:${server.port}`, caCert: first.ca });
  const { clock, kept } = connections(credentials);
  const ask = async () => (await (await kept.current()).transport.fetch(credentials.access.server)).text();
  await assert.rejects(ask(), { name: "TransportError", message: /certificate|UnknownIssuer/i });
  credentials.access = { ...credentials.access, caCert: second.ca };
  await clock.advance(61);
  assert.equal(await ask(), "secure");
  kept.close();
});

Deno.test("current() skips verification when told to, by the setting or by the credentials", async () => {
  await using server = serve(() => new Response("unverified"), first);
  const access = { server: `https://127.0.0.1:${server.port}` };
  for (const [skipTlsVerify, ofCredentials] of [[true, false], [false, true]] as const) {
    const { kept } = connections(new ChangingCredentials({ ...access, skipTlsVerify: ofCredentials }), {
      skipTlsVerify,
    });
    assert.equal(await (await (await kept.current()).transport.fetch(access.server)).text(), "unverified");
    kept.close();
  }
});

Deno.test("current() verifies the name that the credentials give", async () => {
  await using server = serve(() => new Response("named"), first);
  const access = { server: `https://127.0.0.1:${server.port}`, caCert: first.ca };
  const ask = async (serverName: string) => {
    const { kept } = connections(new ChangingCredentials({ ...access, serverName }));
    try {
      return await (await (await kept.current()).transport.fetch(access.server)).text();
    } finally {
      kept.close();
    }
  };
  assert.equal(await ask("kubernetes.default.svc"), "named");
  await assert.rejects(ask("other.example"), { name: "TransportError", message: /other\.example/ });
});

Deno.test("current() goes through the proxy that the credentials give", async () => {
  const heads: string[] = [];
  await using proxy = listen(async (connection, head) => {
    heads.push(head.split("\r\n")[0]!);
    await connection.write(encode("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"));
  });
  const access = { server: "https://kubernetes.example:6443", proxy: `http://127.0.0.1:${proxy.port}` };
  const { kept } = connections(new ChangingCredentials(access));
  await assert.rejects((await kept.current()).transport.fetch(access.server), { name: "TransportError" });
  assert.deepEqual(heads, ["CONNECT kubernetes.example:6443 HTTP/1.1"]);
  kept.close();
});

Deno.test("a request that was answered 401 reads the credentials again at once and is asked once more", async () => {
  await using api = new ScriptedApi();
  const credentials = new ChangingCredentials({ server: api.url, headers: { authorization: "Bearer old" } });
  const client = api.makeClient({ credentials });
  api.script(() => {
    credentials.access = { server: api.url, headers: { authorization: "Bearer new" } };
    return unauthorized();
  }, listAt("7"));
  assert.equal(await list(client), "7");
  const sent = api.requests.map(({ headers }) => headers.get("authorization"));
  assert.deepEqual([sent, credentials.loads], [["Bearer old", "Bearer new"], [false, true]]);
});

Deno.test("a request that is answered 401 again gives up with an ApiError", async () => {
  await using api = new ScriptedApi();
  const credentials = new ChangingCredentials({ server: api.url });
  const client = api.makeClient({ credentials });
  api.script(unauthorized(), unauthorized(), listAt("7"));
  await assert.rejects(list(client), {
    name: "ApiError",
    status: 401,
    message: `${api.url} refuses the credentials (401 Unauthorized): the token in /sa/token; ` +
      "check that this is the cluster they were made for, and that they have not expired",
  });
  assert.equal(api.requests.length, 2);
});

Deno.test("two requests that are answered 401 at the same time read the credentials once", async () => {
  await using api = new ScriptedApi();
  const credentials = new ChangingCredentials({ server: api.url });
  const client = api.makeClient({ credentials });
  const both = Promise.withResolvers<void>();
  const answer = async () => {
    await both.promise;
    return unauthorized();
  };
  api.script(answer, answer, listAt("7"), listAt("7"));
  const lists = Promise.all([list(client), list(client)]);
  await until(() => api.requests.length === 2);
  both.resolve();
  assert.deepEqual(await lists, ["7", "7"]);
  assert.deepEqual(credentials.loads, [false, true]);
});

Deno.test("a request comes over a new connection after one that got no answer", async () => {
  await using api = new ScriptedApi();
  const client = api.makeClient();
  api.script(listAt("7"));
  await list(client);
  await api.clock.advance(10);
  const silent = list(client).catch((error) => error.name);
  await until(() => api.requests.length === 2);
  await api.clock.advance(30);
  assert.equal(await silent, "TransportError");
  api.script(listAt("8"));
  assert.equal(await list(client), "8");
  const [, dead, next] = api.requests;
  assert.notEqual(next?.port, dead?.port);
});

Deno.test("namespace() needs no certificate that can be used", async () => {
  const credentials = new ChangingCredentials({ server: "https://127.0.0.1:1", namespace: "team-a", caCert: "" });
  const { kept } = connections(credentials);
  await assert.rejects(kept.current(), { name: "CredentialsError" });
  assert.equal(await kept.namespace(), "team-a");
  credentials.failure = new CredentialsError("the mount is dead");
  await assert.rejects(kept.namespace(), /the mount is dead/);
  kept.close();
});

Deno.test("a half-written CA leaves the old connection in use until the CA is whole", async () => {
  let authorized = true;
  await using server = serve(() => authorized ? listAt("7") : unauthorized(), first);
  const credentials = new ChangingCredentials({
    server: `https://127.0.0.1:${server.port}`,
    caCert: first.ca,
    certOrigin: "/sa/ca.crt",
  });
  const clock = new FakeClock();
  const client = new KubeClient({ credentials, skipTlsVerify: false, env: {}, clock, userAgent: "test" });
  assert.equal(await list(client), "7");
  for (const half of [first.ca.slice(0, -40), first.ca.slice(0, 10), ""]) {
    authorized = false;
    credentials.access = { ...credentials.access, caCert: half };
    await assert.rejects(list(client), (error) => {
      assert.ok(error instanceof CredentialsError, `${error}`);
      assert.match(error.message, /\/sa\/ca\.crt/);
      return true;
    });
    authorized = true;
    assert.equal(await list(client), "7", "the old connection still works");
  }
  authorized = false;
  credentials.access = { ...credentials.access, caCert: `${first.ca}\n${second.ca}` };
  const outcome = list(client).catch((error) => error);
  assert.equal((await outcome).status, 401, "the CA was taken");
  authorized = true;
  assert.equal(await list(client), "7");
  client.close();
});

for (const [name, access] of [["server name", { serverName: "localhost" }], ["TLS skipped", { skipTlsVerify: true }]]) {
  Deno.test(`current() keeps the old connection when a certificate is half-written: ${name}`, async () => {
    await using server = serve(() => new Response("still here"), first);
    const url = `https://127.0.0.1:${server.port}`;
    const credentials = new ChangingCredentials({ server: url, caCert: first.ca, ...access as Partial<ClusterAccess> });
    const { clock, kept } = connections(credentials);
    const old = await kept.current();
    credentials.access = { ...credentials.access, caCert: first.ca.slice(0, -40) };
    await clock.advance(61);
    await assert.rejects(kept.current(), { name: "CredentialsError" });
    assert.equal(await (await old.transport.fetch(url)).text(), "still here");
    kept.close();
  });
}

Deno.test("current() gives up on credentials that take longer than 30 seconds", async () => {
  const credentials = new ChangingCredentials({ server: "http://127.0.0.1:1" });
  const held = Promise.withResolvers<void>();
  credentials.hold = held.promise;
  const { clock, kept } = connections(credentials);
  const outcome = kept.current().catch((error) => error);
  await clock.advance(30);
  const error = await outcome;
  assert.ok(error instanceof CredentialsError, `${error}`);
  assert.match(error.message, /within 30 s/);
  held.resolve();
  assert.equal((await kept.current()).access.server, "http://127.0.0.1:1");
  kept.close();
});
