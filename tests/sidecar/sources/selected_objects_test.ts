import assert from "node:assert/strict";
import type { KubeObject } from "../../../lib/objects/object.ts";
import type { Source } from "../../../lib/objects/source.ts";
import { SelectedObjects } from "../../../lib/sidecar/sources/selected_objects.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { configMap, refOf } from "../../support/objects.ts";

const EVERYWHERE: Source = { kind: "ConfigMap" };
const SIGNAL = new AbortController().signal;

/** Objects of the namespace `default` are selected; those that are being deleted retire. */
function objects(found?: KubeObject) {
  const admitted: string[] = [];
  const it = new SelectedObjects({
    client: { read: () => Promise.resolve(found) },
    namespaces: { has: (namespace) => namespace === "default" },
    finalizerGuard: {
      admit(_source, { metadata }) {
        admitted.push(metadata.name);
        return Promise.resolve(metadata.deletionTimestamp === undefined ? "apply" : "retire");
      },
    },
    log: keptLog(),
  });
  return { it, admitted };
}

Deno.test("selects() looks at the namespace unless it was chosen by name", () => {
  const { it } = objects();
  assert.deepEqual([it.selects(EVERYWHERE, "default"), it.selects(EVERYWHERE, "other")], [true, false]);
  assert.equal(it.selects({ kind: "ConfigMap", namespace: "other" }, "other"), true);
});

Deno.test("read() has an object carry the finalizer before its files are made", async () => {
  const a = configMap("a");
  const read = (object: KubeObject) => {
    const { it, admitted } = objects(object);
    return it.read(EVERYWHERE, refOf(object), SIGNAL).then((found) => [found === object, admitted]);
  };
  assert.deepEqual(await read(a), [true, ["a"]]);
  assert.deepEqual(await read(configMap("a", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" })), [false, ["a"]]);
  assert.deepEqual(await read(configMap("a", {}, { namespace: "other" })), [true, []]);
  assert.equal(await objects().it.read(EVERYWHERE, refOf(a), SIGNAL), undefined);
});
