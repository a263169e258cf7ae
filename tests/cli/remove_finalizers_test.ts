import assert from "node:assert/strict";
import { EXIT } from "../../lib/cli/exit_codes.ts";
import { runRemoveFinalizers } from "../../lib/cli/remove_finalizers.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { plainCredentials } from "../../lib/kube/client/plain_credentials.ts";
import { CONFIG_MAPS, SECRETS } from "../apiserver/resources.ts";
import { ApiGateway, keptLog, refusal } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { until } from "../support/local_servers.ts";

function run(gateway: ApiGateway, signal = new AbortController().signal) {
  const { config } = parseConfig({ LABEL: "app", FINALIZER_NAME: "x.io/ours" });
  const credentials = plainCredentials(gateway.url);
  const options = { config, credentials, env: {}, userAgent: "test", clock: new FakeClock(), log: keptLog() };
  return runRemoveFinalizers(options, signal);
}

Deno.test("runRemoveFinalizers() removes ours from selected objects, and says whether all went", async () => {
  await using gateway = new ApiGateway();
  const { registry } = gateway.server;
  const finalizers = ["x.io/ours", "x.io/other"];
  registry.create(CONFIG_MAPS, "default", { metadata: { name: "a", labels: { app: "" }, finalizers } });
  registry.create(CONFIG_MAPS, "default", { metadata: { name: "b", labels: { other: "" }, finalizers } });
  registry.create(SECRETS, "default", { metadata: { name: "c", labels: { app: "" }, finalizers } });
  const left = () =>
    ([[CONFIG_MAPS, "a"], [CONFIG_MAPS, "b"], [SECRETS, "c"]] as const).map(([resource, name]) =>
      registry.get(resource, "default", name).metadata.finalizers
    );
  gateway.intercept = ({ path }) =>
    path.includes("/secrets") ? refusal(403, "Forbidden", "secrets is forbidden: cannot list") : undefined;
  assert.equal(await run(gateway), EXIT.apiFailed);
  assert.deepEqual(left(), [["x.io/other"], finalizers, finalizers]);
  gateway.intercept = () => undefined;
  assert.equal(await run(gateway), EXIT.done);
  assert.deepEqual(left(), [["x.io/other"], finalizers, ["x.io/other"]]);
});

Deno.test("runRemoveFinalizers() that is stopped is done", async () => {
  await using gateway = new ApiGateway();
  const held = Promise.withResolvers<undefined>();
  gateway.intercept = () => held.promise;
  const stop = new AbortController();
  const ended = run(gateway, stop.signal);
  await until(() => gateway.requests.length > 0);
  stop.abort(new Error("stop"));
  assert.equal(await ended, EXIT.done);
  held.resolve(undefined);
});
