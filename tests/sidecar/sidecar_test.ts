import assert from "node:assert/strict";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import { CONFIG_MAPS, CORE_EVENTS, type StoredMeta } from "../apiserver/resources.ts";
import { plainCredentials } from "../../lib/kube/client/plain_credentials.ts";
import { runSidecar } from "../../lib/sidecar/sidecar.ts";
import { ApiGateway, keptLog, refusal } from "../support/api_gateway.ts";
import { filesIn, tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { serve, until } from "../support/local_servers.ts";
import { CertificateAuthority } from "../support/certificates.ts";
import { serverCertificate } from "../support/server_certificate.ts";
import { freePort } from "../support/free_port.ts";

/** A folder and an API server, and sidecars as the environment would have them. */
function place() {
  const folder = tempFolder();
  const gateway = new ApiGateway();
  const { registry } = gateway.server;
  const configure = (env: Record<string, string>): Config =>
    parseConfig({ LABEL: "app", FOLDER: `${folder.path}/files`, LIVENESS: "false", ...env }).config;
  return {
    path: folder.path,
    gateway,
    registry,
    create: (name: string, metadata: Partial<StoredMeta> = {}) =>
      void registry.create(CONFIG_MAPS, "default", {
        metadata: { name, labels: { app: "" }, ...metadata },
        data: { [`${name}.txt`]: name },
      }),
    /** What Events say. */
    posted: () => registry.store.list(CORE_EVENTS.storage).map(({ message }) => message),
    isGone: (name: string) => registry.store.get(CONFIG_MAPS.storage, "default", name) === undefined,
    files: (below = "files") => filesIn(`${folder.path}/${below}`),
    configure,
    start(env: Record<string, string>, { config = configure(env) } = {}) {
      const clock = new FakeClock();
      const log = keptLog();
      const stop = new AbortController();
      const credentials = plainCredentials(gateway.url);
      const ended = runSidecar(
        {
          config,
          credentials,
          env: { HOSTNAME: "grafana-0" },
          origin: "https://api.example",
          configFiles: [],
          userAgent: "test",
          build: { version: "1.2.3", revision: "abc" },
          clock,
          random: () => 0,
          log,
        },
        stop.signal,
      );
      return {
        clock,
        log,
        ended,
        stop: () => stop.abort(new Error("stop")),
        async [Symbol.asyncDispose]() {
          stop.abort(new Error("the test is over"));
          await ended;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const LIST = { METHOD: "LIST" };

Deno.test("runSidecar() serves every collection of its configuration", async () => {
  await using at = place();
  at.create("a", { labels: { first: "" } });
  at.create("b", { labels: { second: "" } });
  const configs = ["first", "second"].map((LABEL) => at.configure({ ...LIST, LABEL, FOLDER: `${at.path}/${LABEL}` }));
  const collections = configs.flatMap(({ collections }, at) => collections.map((it) => ({ ...it, name: `c${at}` })));
  const config = { ...configs[0]!, collections };
  const { ended, log } = at.start({}, { config });
  assert.equal(await ended, "done");
  assert.deepEqual([at.files("first"), at.files("second")], [{ "a.txt": "a" }, { "b.txt": "b" }]);
  assert.equal(log.lines.at(-1), "info: List complete, all files are in place.");
});

Deno.test("runSidecar() with METHOD=LIST says what it could not list, and counts what it refused", async () => {
  await using at = place();
  at.create("a");
  Deno.mkdirSync(`${at.path}/files/a.txt`, { recursive: true });
  at.gateway.intercept = ({ path }) =>
    path.includes("/secrets") ? refusal(403, "Forbidden", "secrets is forbidden: cannot list") : undefined;
  const { ended, log } = at.start(LIST);
  assert.equal(await ended, "apiFailed");
  const [api, ...others] = log.lines.filter((line) => line.startsWith("error: incomplete: "));
  assert.match(api!, /not allowed to list secrets/);
  assert.deepEqual(others, []);
  assert.match(log.lines.at(-1)!, /^error: List incomplete, not all objects could be read: 0 .* 1 object was refused/);
});

Deno.test("runSidecar() with METHOD=LIST that is stopped is done, and says nothing of files", async () => {
  await using at = place();
  const held = Promise.withResolvers<undefined>();
  at.gateway.intercept = () => held.promise;
  const { ended, log, stop } = at.start(LIST);
  await until(() => at.gateway.requests.length > 0);
  stop();
  assert.equal(await ended, "done");
  held.resolve(undefined);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0]!, / become files in /);
});

Deno.test("runSidecar() with METHOD=SLEEP lists every SLEEP_TIME, and never watches", async () => {
  await using at = place();
  at.create("a");
  await using it = at.start({ METHOD: "SLEEP", CHECK_PERIOD: "0", SLEEP_TIME: "77", RESOURCE: "configmap" });
  await until(() => it.clock.nextDue === 77);
  at.create("b");
  await it.clock.advance(77);
  await until(() => "b.txt" in at.files());
  assert.equal(at.gateway.requests.length, 2);
  assert.ok(at.gateway.seen.every((request) => !request.includes("watch=")), at.gateway.seen.join("\n"));
});

Deno.test("runSidecar() posts the Events of METHOD=LIST before it ends, with EVENT_LOGGING alone", async () => {
  await using at = place();
  at.create("a");
  await at.start(LIST).ended;
  assert.deepEqual(at.posted(), []);
  Deno.removeSync(`${at.path}/files/a.txt`);
  await at.start({ ...LIST, EVENT_LOGGING: "true" }).ended;
  assert.deepEqual(at.posted(), [`Wrote ${at.path}/files/a.txt`]);
});

Deno.test("runSidecar() with FINALIZERS holds objects back until their files are gone, also with METHOD=LIST", async () => {
  await using at = place();
  at.create("a");
  const env = { ...LIST, FINALIZERS: "true", FINALIZER_NAME: "x.io/ours" };
  await at.start(env).ended;
  at.registry.delete(CONFIG_MAPS, "default", "a");
  assert.deepEqual(at.registry.get(CONFIG_MAPS, "default", "a").metadata.finalizers, ["x.io/ours"]);
  await at.start(env).ended;
  assert.deepEqual(at.files(), {});
  assert.ok(at.isGone("a"));
  assert.deepEqual(at.posted(), []);
});

Deno.test("runSidecar() posts Events and lets objects go while it watches", async () => {
  await using at = place();
  at.create("a");
  await using _ = at.start({ EVENT_LOGGING: "true", FINALIZERS: "true" });
  await until(() => at.posted().length === 1);
  at.registry.delete(CONFIG_MAPS, "default", "a");
  await until(() => at.isGone("a"));
  await until(() => at.posted().length === 2);
  assert.deepEqual(at.posted(), ["Wrote", "Removed"].map((what) => `${what} ${at.path}/files/a.txt`));
});

Deno.test("runSidecar() serves health and metrics until it is stopped", async () => {
  await using at = place();
  at.create("a");
  const HEALTH_PORT = String(freePort());
  const url = `http://127.0.0.1:${HEALTH_PORT}`;
  const text = async (path: string) => await (await fetch(url + path)).text();
  await using it = at.start({ LIVENESS: "true", HEALTH_HOST: "127.0.0.1", HEALTH_PORT });
  await until(() => it.log.lines.includes("info: Initial sync complete, sidecar is ready."));
  assert.deepEqual([await text("/readyz"), await text("/livez")], ["ok\n", "ok\n"]);
  assert.match(await text("/metrics"), /^k8s_sidecar_files\{collection="default"\} 1$/m);
  it.stop();
  assert.equal(await it.ended, "done");
  await assert.rejects(fetch(url));
});

Deno.test("runSidecar() leaves HEALTH_PORT to the application that REQ_URL calls there", async () => {
  await using at = place();
  const HEALTH_PORT = String(freePort());
  const REQ_URL = `http://127.0.0.1:${HEALTH_PORT}/reload`;
  await using it = at.start({ LIVENESS: "true", HEALTH_PORT, REQ_URL });
  await until(() => it.log.lines.includes("info: Initial sync complete, sidecar is ready."));
  Deno.listen({ port: Number(HEALTH_PORT), hostname: "::" }).close();
  it.stop();
  assert.equal(await it.ended, "done");
});

Deno.test("runSidecar() logs one line for each API request with DEBUG, and none without", async () => {
  await using at = place();
  const lines = async (env: Record<string, string>) => {
    const { ended, log } = at.start({ ...LIST, RESOURCE: "configmap", ...env });
    await ended;
    return log.lines.filter((line) => line.startsWith("debug: GET /api/v1/configmaps?"));
  };
  assert.equal((await lines({ DEBUG: "true" })).length, 1);
  assert.equal((await lines({ VERBOSE: "true" })).length, 0);
});

Deno.test("runSidecar() calls an application whose certificate nobody signed with REQ_SKIP_TLS_VERIFY alone", async () => {
  let calls = 0;
  await using application = serve(() => {
    calls++;
    return new Response();
  }, await serverCertificate());
  await using at = place();
  at.create("a");
  const env = { ...LIST, REQ_URL: `https://127.0.0.1:${application.port}/`, REQ_RETRY_TOTAL: "0" };
  await at.start(env).ended;
  assert.equal(calls, 0);
  await at.start({ ...env, REQ_SKIP_TLS_VERIFY: "true" }).ended;
  assert.equal(calls, 1);
});

Deno.test("runSidecar() trusts the CAs of REQ_CA_FILE", async () => {
  await using at = place();
  const authority = await CertificateAuthority.create(at.path);
  await authority.serverCertificate("server");
  const read = (name: string) => Deno.readTextFileSync(`${at.path}/${name}`);
  let calls = 0;
  await using application = serve(() => {
    calls++;
    return new Response();
  }, { cert: read("server.crt"), key: read("server.key") });
  at.create("a");
  const env = { ...LIST, REQ_URL: `https://127.0.0.1:${application.port}/`, REQ_RETRY_TOTAL: "0" };
  const { ended, log } = at.start(env);
  await ended;
  assert.equal(calls, 0);
  assert.match(log.lines.join("\n"), /certificate/);
  await at.start({ ...env, REQ_CA_FILE: authority.file }).ended;
  assert.equal(calls, 1);
});

Deno.test("runSidecar() throws when the folder can neither be found nor made", async () => {
  await using at = place();
  Deno.writeTextFileSync(`${at.path}/file`, "");
  await assert.rejects(at.start({ FOLDER: `${at.path}/file/below` }).ended, { name: "PublishError" });
});
