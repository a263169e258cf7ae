import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { runHealthcheck } from "../../lib/cli/healthcheck.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { freePort } from "../support/free_port.ts";
import { serve } from "../support/local_servers.ts";

const run = (env: Record<string, string>, probe?: "ready" | "live") => runHealthcheck(parseConfig(env).config, probe);

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

Deno.test("runHealthcheck() finds a sidecar that listens on every address", async () => {
  await using server = serve(() => new Response("ok"));
  for (const HEALTH_HOST of ["", "0.0.0.0", "::"]) {
    assert.equal(await run({ HEALTH_PORT: String(server.port), HEALTH_HOST }), EXIT.done, HEALTH_HOST);
  }
});

Deno.test("runHealthcheck() is unhealthy without a sidecar, and without endpoints", async () => {
  assert.equal(await run({ HEALTH_PORT: String(freePort()), HEALTH_HOST: "127.0.0.1" }), EXIT.unhealthy);
  assert.equal(await run({ LIVENESS: "false" }), EXIT.unhealthy);
});
