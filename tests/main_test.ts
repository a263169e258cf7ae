import assert from "node:assert/strict";
import { serve, until } from "./support/local_servers.ts";
import { SidecarProcess } from "./support/sidecar_process.ts";
import { certificate, pod, workplace } from "./support/workplace.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends a watching sidecar within a second, with code 0`, async () => {
    using place = workplace();
    await using sidecar = SidecarProcess.start({ LABEL: "app", FOLDER: place.files }, {
      args: ["--manifests", place.manifests],
    });
    await sidecar.ready();
    const startedAt = performance.now();
    sidecar.kill(signal);
    assert.deepEqual(await sidecar.exited(), { code: 0, signal: null });
    const took = performance.now() - startedAt;
    assert.ok(took < 1000, `${took} ms`);
    assert.equal(await Deno.readTextFile(`${place.files}/one.txt`), "first");
  });
}

Deno.test("SIGTERM ends a sidecar within a second whose API server does not answer", async () => {
  const held = Promise.withResolvers<Response>();
  await using silent = serve(() => held.promise, certificate);
  await using here = await pod();
  const { METHOD: _, ...env } = here.env;
  await using sidecar = SidecarProcess.start({ ...env, KUBERNETES_SERVICE_PORT: String(silent.port) });
  await sidecar.logged("health endpoints");
  const { code, ms } = await sidecar.stop();
  held.resolve(new Response(null, { status: 503 }));
  assert.equal(code, 0);
  assert.ok(ms < 1000, `${ms} ms`);
});

Deno.test("SIGTERM ends remove-finalizers within a second, with code 0, and FOLDER is not needed for it", async () => {
  const held = Promise.withResolvers<Response>();
  let asked = false;
  await using silent = serve(() => {
    asked = true;
    return held.promise;
  }, certificate);
  await using here = await pod();
  const { METHOD: _, FOLDER: __, ...env } = here.env;
  await using sidecar = SidecarProcess.start({ ...env, KUBERNETES_SERVICE_PORT: String(silent.port) }, {
    args: ["remove-finalizers"],
  });
  await until(() => asked);
  const { code, ms } = await sidecar.stop();
  held.resolve(new Response(null, { status: 503 }));
  assert.equal(code, 0);
  assert.ok(ms < 1000, `${ms} ms`);
});
