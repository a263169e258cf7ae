import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { RefusedHostError } from "../../../lib/http/transport.ts";
import { SharedTransports } from "../../../lib/sidecar/opening/open_transports.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { serve } from "../../support/local_servers.ts";

function open(settings: Record<string, string> = {}, server = "https://10.96.0.1:443") {
  const { config } = parseConfig({ LABEL: "app", FOLDER: "/data", ...settings });
  const credentials = {
    load: () =>
      Promise.resolve({ server, namespace: "default", headers: {}, certOrigin: "a kubeconfig", skipTlsVerify: false }),
  };
  const env = { KUBERNETES_SERVICE_HOST: "10.96.0.2" };
  const shared = new SharedTransports({ env, credentials, clock: new FakeClock(), log: keptLog() });
  return { shared, ...shared.of(config.collections[0]!.requests), [Symbol.dispose]: () => shared.close() };
}

Deno.test("SharedTransports has downloads refused by default, and webhooks not", async () => {
  await using server = serve(() => new Response("answer"));
  using it = open();
  const url = `http://127.0.0.1:${server.port}/`;
  assert.equal(await (await (await it.webhook()).fetch(url)).text(), "answer");
  const downloads = await it.downloads();
  for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`, "169.254.169.254", "10.96.0.1"]) {
    await assert.rejects(downloads.fetch(`http://${host}/`), RefusedHostError, host);
  }
  await assert.rejects(downloads.fetch("https://10.96.0.2/"), RefusedHostError);
});

Deno.test("SharedTransports has downloads from hosts that URL_ALLOWED_HOSTS names", async () => {
  await using server = serve(() => new Response("answer"));
  for (const entry of ["127.0.0.1", "127.0.0.0/8", `127.0.0.1:${server.port}`, "*"]) {
    using it = open({ URL_ALLOWED_HOSTS: entry });
    const answer = await (await it.downloads()).fetch(`http://127.0.0.1:${server.port}/`);
    assert.equal(await answer.text(), "answer");
  }
  using it = open({ URL_ALLOWED_HOSTS: "example.com,127.0.0.1:1" });
  await assert.rejects((await it.downloads()).fetch(`http://127.0.0.1:${server.port}/`), RefusedHostError);
});

Deno.test("SharedTransports checks each redirect of a download", async () => {
  const { follow } = await import("../../../lib/http/redirects.ts");
  await using inner = serve(() => new Response("secret"));
  await using outer = serve(() => Response.redirect(`http://localhost:${inner.port}/`));
  using it = open({ URL_ALLOWED_HOSTS: `127.0.0.1:${outer.port}` });
  const options = { method: "GET" as const, signal: new AbortController().signal, authorizationFor: () => undefined };
  const url = new URL(`http://127.0.0.1:${outer.port}/`);
  await assert.rejects(follow(await it.downloads(), url, options), RefusedHostError);
});

Deno.test("SharedTransports reads failed credentials again at the next download", async () => {
  let loads = 0;
  const { config } = parseConfig({ LABEL: "app", FOLDER: "/data" });
  const credentials = {
    load() {
      if (++loads === 1) return Promise.reject(new Error("no kubeconfig"));
      return Promise.resolve({ server: "https://api/", namespace: "a", headers: {}, skipTlsVerify: false });
    },
  };
  const shared = new SharedTransports({ env: {}, credentials, clock: new FakeClock(), log: keptLog() });
  const transports = shared.of(config.collections[0]!.requests);
  await assert.rejects(transports.downloads(), /no kubeconfig/);
  await assert.rejects((await transports.downloads()).fetch("https://api/"), RefusedHostError);
  shared.close();
});

Deno.test("SharedTransports opens one of each for equal settings", async () => {
  using it = open({ REQ_SKIP_TLS_VERIFY: "true" });
  const of = async (env: Record<string, string>) => {
    const { config } = parseConfig({ LABEL: "app", FOLDER: "/data", ...env });
    return await it.shared.of(config.collections[0]!.requests).webhook();
  };
  assert.equal(await of({ REQ_SKIP_TLS_VERIFY: "true", REQ_TIMEOUT: "3" }), await it.webhook());
  assert.notEqual(await of({}), await it.webhook());
});
