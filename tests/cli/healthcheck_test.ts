import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { runHealthcheck } from "../../lib/cli/healthcheck.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { INSTANCE_HEADER } from "../../lib/serve/status.ts";
import { instanceOf } from "../../lib/sidecar/collections/collection_id.ts";
import { freePort } from "../support/free_port.ts";
import { serve } from "../support/local_servers.ts";

const run = (env: Record<string, string>, probe?: "ready" | "live") => runHealthcheck(parseConfig(env), probe);

Deno.test("runHealthcheck() says what the endpoint of its probe says", async () => {
  const asked: string[] = [];
  await using server = serve((request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return new Response("why", { status: pathname === "/livez" ? 200 : 503 });
  });
  const env = { HEALTH_PORT: String(server.port), HEALTH_HOST: "127.0.0.1" };
  assert.equal(await run(env), EXIT.unhealthy);
  assert.equal(await run(env, "ready"), EXIT.unhealthy);
  assert.equal(await run(env, "live"), EXIT.done);
  assert.deepEqual(asked, ["/healthz", "/readyz", "/livez"]);
});

Deno.test("runHealthcheck() is unhealthy when the port is another program's, or another sidecar's", async () => {
  const settings = parseConfig({ LABEL: "app", FOLDER: "/files" }).config.collections;
  const instances = [await instanceOf(settings), "0123456789", undefined];
  let instance: string | undefined;
  await using server = serve(() =>
    new Response("ok", { headers: instance === undefined ? {} : { [INSTANCE_HEADER]: instance } })
  );
  const env = { HEALTH_PORT: String(server.port), HEALTH_HOST: "127.0.0.1", LABEL: "app", FOLDER: "/files" };
  const codes: number[] = [];
  for (instance of instances) codes.push(await run(env));
  assert.deepEqual(codes, [EXIT.done, EXIT.unhealthy, EXIT.unhealthy]);
});

Deno.test("runHealthcheck() knows its sidecar although CONFIG_FILE has changed", async () => {
  const env = { CONFIG_FILE: "/config.yaml", LABEL: "app", FOLDER: "/files" };
  const { collections } = parseConfig(env).config;
  const before = collections.map((collection) => ({ ...collection, name: "of an earlier version" }));
  const instance = await instanceOf([...collections, ...before], env.CONFIG_FILE);
  await using server = serve(() => new Response("ok", { headers: { [INSTANCE_HEADER]: instance } }));
  const at = { HEALTH_PORT: String(server.port), HEALTH_HOST: "127.0.0.1" };
  assert.equal(await run({ ...env, ...at }), EXIT.done);
  assert.equal(await run({ ...env, ...at, CONFIG_FILE: "/other.yaml" }), EXIT.unhealthy);
});

Deno.test("runHealthcheck() finds a sidecar that listens on every address", async () => {
  await using server = serve(() => new Response("ok"));
  for (const HEALTH_HOST of ["", "0.0.0.0", "::", "[::]"]) {
    assert.equal(await run({ HEALTH_PORT: String(server.port), HEALTH_HOST }), EXIT.done, HEALTH_HOST);
  }
});

Deno.test("runHealthcheck() is unhealthy without a sidecar, and without endpoints", async () => {
  assert.equal(await run({ HEALTH_PORT: String(freePort()), HEALTH_HOST: "127.0.0.1" }), EXIT.unhealthy);
  assert.equal(await run({ LIVENESS: "false" }), EXIT.unhealthy);
});
