import assert from "node:assert/strict";
import { INSTANCE_HEADER } from "../../lib/serve/status.ts";
import { instanceOf } from "../../lib/sidecar/collections/collection_id.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { freePort } from "../support/free_port.ts";
import { serve } from "../support/local_servers.ts";
import { outcome } from "../support/outcome.ts";

const SELECTION = { LABEL: "app", FOLDER: "/files" };
const STATUS = {
  ...{ version: 1, instance: "x", build: { version: "0.1.0", revision: "", deno: "2" }, hostname: "", method: "WATCH" },
  ...{ now: "2026-11-25T14:06:31Z", startedAt: "2026-11-25T14:06:21Z", origin: "https://api" },
  ...{ problems: [], collections: [], sources: [], files: [], notifications: [] },
};

async function runStatus(
  answer: { instance?: string; status?: number; body?: string },
  { env = {}, args = [] }: { env?: Record<string, string>; args?: string[] } = {},
) {
  const instance = answer.instance ?? await instanceOf(parseConfig(SELECTION).config.collections);
  await using server = serve(() =>
    new Response(answer.body ?? JSON.stringify(STATUS), {
      status: answer.status ?? 200,
      headers: instance === "" ? {} : { [INSTANCE_HEADER]: instance },
    })
  );
  const place = { HEALTH_PORT: String(server.port), HEALTH_HOST: "127.0.0.1" };
  const { code, stdout, stderr } = await outcome({ ...SELECTION, ...place, ...env }, { args: ["status", ...args] });
  return { code, stdout, stderr: stderr.join("\n").replaceAll(String(server.port), "PORT") };
}

Deno.test("status tells in words what the sidecar of this container answers", async () => {
  const { code, stdout, stderr } = await runStatus({});
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(stdout.slice(0, 4), [
    "k8s-sidecar 0.1.0, up for 10 s",
    "ready",
    "live",
    "METHOD=WATCH, objects of https://api, instance x",
  ]);
  assert.ok(stdout.includes("no problems"));
});

Deno.test("status -o json prints the answer", async () => {
  const { code, stdout } = await runStatus({}, { args: ["-o", "json"] });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout.join("\n")), STATUS);
});

Deno.test("status says that another sidecar has the port", async () => {
  const { code, stderr } = await runStatus({ instance: "0123456789" });
  assert.equal(code, 1);
  assert.match(stderr, /^port PORT is another sidecar's, with other collections or folders: .*HEALTH_PORT/);
});

Deno.test("status says that another program has the port", async () => {
  const { code, stderr } = await runStatus({ instance: "" });
  assert.equal(code, 1);
  assert.match(stderr, /^port PORT is another program's: .*HEALTH_PORT/);
});

Deno.test("status asks any sidecar when the settings are of none", async () => {
  const { code } = await runStatus({ instance: "0123456789" }, { env: { LABEL: "", FOLDER: "" } });
  assert.equal(code, 0);
});

Deno.test("status says why it is refused", async () => {
  const { code, stderr } = await runStatus({ status: 403, body: "STATUS_PAGE=none: the status is turned off\n" });
  assert.deepEqual([code, stderr], [
    1,
    "http://127.0.0.1:PORT/status answered 403: STATUS_PAGE=none: the status is turned off",
  ]);
});

Deno.test("status says that nothing listens, and that LIVENESS=false has no port", async () => {
  const port = String(freePort());
  const nobody = await outcome({ ...SELECTION, HEALTH_PORT: port, HEALTH_HOST: "127.0.0.1" }, { args: ["status"] });
  assert.equal(nobody.code, 1);
  assert.match(
    nobody.stderr.join("\n"),
    /^no answer from http:\/\/127.*refused.*Is the sidecar running in this container/,
  );
  const without = await outcome({ ...SELECTION, LIVENESS: "false" }, { args: ["status"] });
  assert.deepEqual([without.code, without.stderr], [1, [
    "LIVENESS=false: there is no port that could be asked for the status",
  ]]);
});

Deno.test("status does not take what it does not understand for a status", async () => {
  for (const [body, what] of [["<html>", /is no JSON/], ['{"version":2}', /version 2/]] as const) {
    const { code, stderr } = await runStatus({ body });
    assert.equal(code, 1);
    assert.match(stderr, what);
  }
});
