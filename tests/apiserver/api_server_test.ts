import assert from "node:assert/strict";
import { EmbeddedApiServer, type EmbeddedApiServerOptions } from "./api_server.ts";
import { CONFIG_MAPS } from "./resources.ts";
import { type ApiTarget, call, WatchRequest } from "../support/api_target.ts";

async function withServer(
  options: EmbeddedApiServerOptions,
  run: (target: ApiTarget, server: EmbeddedApiServer) => Promise<void>,
): Promise<void> {
  const server = EmbeddedApiServer.start(options);
  const target: ApiTarget = {
    hasWatchList: true,
    fetch: (path, init) => fetch(server.url + path, init),
    compact: () => Promise.resolve(server.store.compact()),
    stop: () => server.close(),
  };
  try {
    await run(target, server);
  } finally {
    await server.close();
  }
}

const CONFIGMAPS = "/api/v1/namespaces/default/configmaps";

Deno.test("EmbeddedApiServer.close() ends open watches cleanly", async () => {
  const server = EmbeddedApiServer.start();
  const target: ApiTarget = {
    hasWatchList: true,
    fetch: (path, init) => fetch(server.url + path, init),
    compact: () => Promise.resolve(),
    stop: () => server.close(),
  };
  const watches = await Promise.all([1, 2, 3].map(() => WatchRequest.open(target, `${CONFIGMAPS}?watch=1`)));
  server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" } });
  for (const watch of watches) assert.deepEqual(await watch.take(1), ["ADDED a"]);
  const [rests] = await Promise.all([Promise.all(watches.map((watch) => watch.rest())), server.close()]);
  assert.deepEqual(rests, [[], [], []]);
});

Deno.test("EmbeddedApiServer asks every request for the token but the health checks", async () => {
  await withServer({ token: "secret" }, async (target) => {
    for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await call(target, "GET", path)).body, "ok");
    for (const path of ["/api", CONFIGMAPS]) assert.equal((await call(target, "GET", path)).status, 401);
    const response = await target.fetch(CONFIGMAPS, { headers: { authorization: "Bearer secret" } });
    assert.equal(response.status, 200);
    await response.body?.cancel();
  });
});

Deno.test("EmbeddedApiServer answers a watch at once when there is nothing to tell", async () => {
  await withServer({}, async (target) => {
    const response = await target.fetch(`${CONFIGMAPS}?watch=1`);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  });
});

Deno.test("EmbeddedApiServer sends bookmarks at the interval to a watch that allows them", async () => {
  await withServer({ bookmarkIntervalMs: 20 }, async (target, server) => {
    const version = server.store.version;
    const query = `watch=1&resourceVersion=${version}&labelSelector=l`;
    const watch = await WatchRequest.open(target, `${CONFIGMAPS}?${query}&allowWatchBookmarks=true`);
    const silent = await WatchRequest.open(target, `${CONFIGMAPS}?${query}&timeoutSeconds=1`);
    server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" } });
    let bookmark = await watch.next();
    while (bookmark?.object.metadata.resourceVersion === String(version)) bookmark = await watch.next();
    assert.deepEqual(bookmark, {
      type: "BOOKMARK",
      object: {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { resourceVersion: String(version + 1), creationTimestamp: null },
      },
    });
    await watch.close();
    assert.deepEqual(await silent.rest(), []);
  });
});

Deno.test("EmbeddedApiServer ends a watch that fell behind the history with 410", async () => {
  await withServer({ historySize: 10 }, async (target, server) => {
    const version = server.store.version;
    const watch = await WatchRequest.open(target, `${CONFIGMAPS}?watch=1&resourceVersion=${version}`);
    for (let i = 0; i < 20; i++) server.registry.create(CONFIG_MAPS, "default", { metadata: { name: `a-${i}` } });
    const events = await watch.rest();
    assert.deepEqual(events.map(({ type, object }) => [type, object.code]), [["ERROR", 410]]);
  });
});

Deno.test("EmbeddedApiServer streams no initial events when sendInitialEvents is false", async () => {
  await withServer({}, async (target, server) => {
    server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "a" } });
    const query = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    const watch = await WatchRequest.open(target, `${CONFIGMAPS}?${query}`);
    server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "b" } });
    assert.deepEqual(await watch.take(1), ["ADDED b"]);
    await watch.close();
  });
});

Deno.test("EmbeddedApiServer lists thousands of objects page by page", async () => {
  await withServer({}, async (target, server) => {
    for (let i = 0; i < 2500; i++) server.registry.create(CONFIG_MAPS, "default", { metadata: { name: `a-${i}` } });
    const names = new Set<string>();
    let token = "";
    do {
      const { body } = await call(target, "GET", `/api/v1/configmaps?limit=500&continue=${token}`);
      assert.ok(body.items.length <= 500);
      for (const { metadata } of body.items) names.add(metadata.name);
      token = body.metadata.continue ?? "";
    } while (token !== "");
    assert.equal(names.size, 2500);
  });
});

Deno.test("EmbeddedApiServer answers methods and paths that it does not have with 405 and 404", async () => {
  await withServer({}, async (target) => {
    const status = async (method: string, path: string) => (await call(target, method, path)).status;
    assert.equal(await status("POST", `${CONFIGMAPS}/a`), 405);
    assert.equal(await status("DELETE", "/api/v1/namespaces"), 405);
    assert.equal(await status("DELETE", "/api/v1/configmaps"), 405);
    assert.equal(await status("GET", "/api/v1/configmaps/a"), 404);
    assert.equal(await status("GET", "/apis/apps/v1/deployments"), 404);
    assert.equal(await status("GET", "/openapi/v2"), 404);
  });
});

Deno.test("EmbeddedApiServer without clusterWide forbids lists and watches of all namespaces only", async () => {
  await withServer({ clusterWide: false }, async (target) => {
    for (
      const [path, status] of [
        ["/api/v1/configmaps", 403],
        ["/api/v1/secrets?watch=1", 403],
        ["/api/v1/namespaces", 403],
        ["/api/v1/namespaces/default", 200],
        [CONFIGMAPS, 200],
      ] as const
    ) {
      const answer = await target.fetch(path);
      await answer.body?.cancel();
      assert.equal(answer.status, status, path);
    }
  });
});
