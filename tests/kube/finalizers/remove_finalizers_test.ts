import assert from "node:assert/strict";
import { CONFIG_MAPS, type Resource, SECRETS } from "../../apiserver/resources.ts";
import { removeFinalizers } from "../../../lib/kube/finalizers/remove_finalizers.ts";
import type { Source } from "../../../lib/objects/source.ts";
import { ApiGateway, keptLog, refusal } from "../../support/api_gateway.ts";

const OURS = "deno-k8s-sidecar/files";
const NEVER = new AbortController().signal;
const SOURCES: Source[] = [
  { kind: "ConfigMap", labelSelector: "app" },
  { kind: "Secret", namespace: "default", labelSelector: "app" },
];

function create({ server }: ApiGateway, resource: Resource, name: string, finalizers: string[], label = "app") {
  server.registry.create(resource, "default", { metadata: { name, finalizers, labels: { [label]: "" } } });
}

function finalizersOf({ server }: ApiGateway, resource: Resource): Record<string, string[]> {
  const objects = server.registry.store.list(resource.storage);
  return Object.fromEntries(objects.map(({ metadata }) => [metadata.name, metadata.finalizers ?? []]));
}

Deno.test("removeFinalizers() takes ours off every selected object and leaves the rest alone", async () => {
  await using gateway = new ApiGateway();
  create(gateway, CONFIG_MAPS, "ours", [OURS]);
  create(gateway, CONFIG_MAPS, "shared", ["x.io/other", OURS]);
  create(gateway, CONFIG_MAPS, "bare", []);
  create(gateway, CONFIG_MAPS, "not-selected", [OURS], "other");
  create(gateway, CONFIG_MAPS, "leaving", [OURS]);
  gateway.server.registry.delete(CONFIG_MAPS, "default", "leaving");
  create(gateway, SECRETS, "secret", [OURS]);
  const log = keptLog();
  assert.deepEqual(await removeFinalizers(gateway.client, SOURCES, OURS, NEVER, log), { removed: 4, failed: 0 });
  assert.deepEqual(finalizersOf(gateway, CONFIG_MAPS), {
    ours: [],
    shared: ["x.io/other"],
    bare: [],
    "not-selected": [OURS],
  });
  assert.deepEqual(finalizersOf(gateway, SECRETS), { secret: [] });
  assert.deepEqual(log.lines.toSorted(), [
    `info: Finalizer ${OURS}: removed from 4 objects, 0 failures`,
    `info: removed finalizer ${OURS} from ConfigMap default/leaving`,
    `info: removed finalizer ${OURS} from ConfigMap default/ours`,
    `info: removed finalizer ${OURS} from ConfigMap default/shared`,
    `info: removed finalizer ${OURS} from Secret default/secret`,
  ]);
});

Deno.test("removeFinalizers() goes through every page", async () => {
  await using gateway = new ApiGateway();
  for (let index = 0; index < 1100; index++) create(gateway, CONFIG_MAPS, `a-${index}`, index % 50 === 0 ? [OURS] : []);
  const { removed, failed } = await removeFinalizers(gateway.client, SOURCES, OURS, NEVER, keptLog());
  assert.deepEqual([removed, failed], [22, 0]);
  assert.equal(gateway.seen.filter((request) => request.startsWith("GET /api/v1/configmaps?")).length, 3);
});

Deno.test("removeFinalizers() lists anew when the list expires between two pages", async () => {
  await using gateway = new ApiGateway();
  for (let index = 0; index < 600; index++) create(gateway, CONFIG_MAPS, `a-${index}`, index % 100 === 0 ? [OURS] : []);
  let expires = true;
  gateway.intercept = ({ path }) => {
    if (!expires || !path.includes("continue=")) return undefined;
    expires = false;
    return refusal(410, "Expired", "The provided continue parameter is too old");
  };
  const { removed, failed } = await removeFinalizers(gateway.client, SOURCES, OURS, NEVER, keptLog());
  assert.deepEqual([removed, failed], [6, 0]);
});

Deno.test("removeFinalizers() goes on after objects and sources that it may not change or list", async () => {
  await using gateway = new ApiGateway();
  for (const name of ["a", "b", "c"]) create(gateway, CONFIG_MAPS, name, [OURS]);
  gateway.intercept = ({ method, path }) => {
    if (method === "PATCH" && path.endsWith("/b")) return refusal(403, "Forbidden", "cannot patch");
    return path.includes("/secrets") ? refusal(403, "Forbidden", "cannot list") : undefined;
  };
  const log = keptLog();
  assert.deepEqual(await removeFinalizers(gateway.client, SOURCES, OURS, NEVER, log), { removed: 2, failed: 2 });
  assert.deepEqual(finalizersOf(gateway, CONFIG_MAPS), { a: [], b: [OURS], c: [] });
  assert.match(log.lines.join("\n"), /error: cannot list secrets in namespace "default": .*cannot list/);
  assert.match(log.lines.join("\n"), /error: cannot remove finalizer .* from ConfigMap default\/b: .*cannot patch/);
  assert.match(log.lines.at(-1)!, /error: .*removed from 2 objects, 2 failures; fix the causes and run this again/);
});

Deno.test("removeFinalizers() counts an object that goes meanwhile as done", async () => {
  await using gateway = new ApiGateway();
  create(gateway, CONFIG_MAPS, "a", [OURS]);
  gateway.intercept = ({ method }) => method === "PATCH" ? refusal(404, "NotFound", "not found") : undefined;
  const { removed, failed } = await removeFinalizers(gateway.client, SOURCES, OURS, NEVER, keptLog());
  assert.deepEqual([removed, failed], [1, 0]);
});

Deno.test("removeFinalizers() throws the signal's reason when it aborts", async () => {
  await using gateway = new ApiGateway();
  create(gateway, CONFIG_MAPS, "a", [OURS]);
  const stop = new AbortController();
  gateway.intercept = () => {
    stop.abort(new Error("stopped"));
    return undefined;
  };
  await assert.rejects(removeFinalizers(gateway.client, SOURCES, OURS, stop.signal, keptLog()), { message: "stopped" });
});
