import assert from "node:assert/strict";
import { isReachable } from "../../lib/http/reachable.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { freePort } from "../support/free_port.ts";
import { serve } from "../support/local_servers.ts";

Deno.test("isReachable() tells whether the server, or the proxy before it, accepts connections", async () => {
  await using server = serve(() => new Response());
  const open = `127.0.0.1:${server.port}`;
  const closed = `127.0.0.1:${freePort()}`;
  const of = (url: string, env = {}, signal = new AbortController().signal) =>
    isReachable(new URL(url), env, new FakeClock(), signal);
  assert.equal(await of(`http://${open}/`), true);
  assert.equal(await of(`http://${closed}/`), false);
  assert.equal(await of("http://app.example/", { HTTP_PROXY: `http://${open}` }), true);
  assert.equal(await of("http://app.example/", { HTTP_PROXY: `http://${closed}` }), false);
  assert.equal(await of(`http://${open}/`, {}, AbortSignal.abort()), false);
});
