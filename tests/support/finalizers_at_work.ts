/** The finalizers of one sidecar at work on a gateway, and the ConfigMap `a` there. */
import { CONFIG_MAPS, type StoredObject } from "../apiserver/resources.ts";
import { Finalizers } from "../../lib/kube/finalizers/finalizers.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { Heartbeat } from "../../lib/runtime/heartbeat.ts";
import { ApiGateway, keptLog, refusal } from "./api_gateway.ts";
import { FakeClock } from "./fake_clock.ts";

export const OURS = "deno-k8s-sidecar/files";
export const REF: ObjectRef = { kind: "ConfigMap", namespace: "default", name: "a" };
export const NEVER = new AbortController().signal;
export const RBAC_REFUSAL = () =>
  refusal(403, "Forbidden", 'configmaps "a" is forbidden: User "user" cannot patch resource "configmaps"');

/** A gateway, the finalizers of one sidecar, and their loop, which ends with the test. */
export function start(name = OURS) {
  const gateway = new ApiGateway();
  const clock = new FakeClock();
  const log = keptLog();
  const heartbeat = new Heartbeat("finalizers", clock);
  const finalizers = new Finalizers({ client: gateway.client, name, clock, random: () => 0, heartbeat, log });
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  return {
    gateway,
    clock,
    heartbeat,
    log,
    finalizers,
    run: () => running = finalizers.run(stop.signal),
    create: (finalizers: string[] = []) => create(gateway, finalizers),
    on: (): string[] | undefined => current(gateway)?.metadata.finalizers ?? [],
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await gateway[Symbol.asyncDispose]();
    },
  };
}

export function create({ server }: ApiGateway, finalizers: string[]): KubeObject {
  return asSeen(
    server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "a", finalizers }, data: { k: "v" } }),
  );
}

export function current({ server }: ApiGateway): KubeObject | undefined {
  const found = server.registry.store.get(CONFIG_MAPS.storage, "default", "a");
  return found && asSeen(found);
}

export function asSeen(object: StoredObject): KubeObject {
  return object as unknown as KubeObject;
}

export function remove({ server }: ApiGateway): void {
  server.registry.delete(CONFIG_MAPS, "default", "a");
}
