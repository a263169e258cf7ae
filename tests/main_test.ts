import assert from "node:assert/strict";
import { serve, until } from "./support/local_servers.ts";
import { assertStopsInASecond, SidecarProcess } from "./support/sidecar_process.ts";
import { certificate, pod, workplace } from "./support/workplace.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends a watching sidecar within a second, with code 0`, async () => {
    using place = workplace();
    await assertStopsInASecond(async () => {
      const env = { LABEL: "app", FOLDER: place.files };
      const sidecar = SidecarProcess.start(env, { args: ["--manifests", place.manifests] });
      await sidecar.ready();
      return sidecar;
    }, signal);
    assert.equal(await Deno.readTextFile(`${place.files}/one.txt`), "first");
  });
}

/** An API server that answers nothing until it is disposed. */
function silentApi() {
  const held = Promise.withResolvers<Response>();
  let asked = 0;
  const server = serve(() => {
    asked++;
    return held.promise;
  }, certificate);
  return {
    port: String(server.port),
    get asked() {
      return asked;
    },
    async [Symbol.asyncDispose]() {
      held.resolve(new Response(null, { status: 503 }));
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("SIGTERM ends a sidecar within a second whose API server does not answer", async () => {
  await using silent = silentApi();
  await using here = await pod();
  const { METHOD: _, ...env } = here.env;
  await assertStopsInASecond(async () => {
    const sidecar = SidecarProcess.start({ ...env, KUBERNETES_SERVICE_PORT: silent.port });
    await sidecar.logged("health endpoints");
    return sidecar;
  });
});

Deno.test("SIGTERM ends remove-finalizers within a second, with code 0, and FOLDER is not needed for it", async () => {
  await using silent = silentApi();
  await using here = await pod();
  const { METHOD: _, FOLDER: __, ...env } = here.env;
  await assertStopsInASecond(async () => {
    const before = silent.asked;
    const sidecar = SidecarProcess.start({ ...env, KUBERNETES_SERVICE_PORT: silent.port }, {
      args: ["remove-finalizers"],
    });
    await until(() => silent.asked > before);
    return sidecar;
  });
});
