import assert from "node:assert/strict";
import { FileObjects, type FileObjectsOptions } from "../../../lib/sidecar/sources/object_sink.ts";
import type { Source } from "../../../lib/objects/source.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { configMap } from "../../support/objects.ts";

const SOURCE: Source = { kind: "ConfigMap" };
const SIGNAL = new AbortController().signal;
const LEAVING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

/** Objects of the namespace `default` are selected; those that are being deleted retire. */
function sink(options: Partial<FileObjectsOptions> = {}) {
  const calls: string[] = [];
  const log = keptLog();
  const it = new FileObjects({
    source: SOURCE,
    reconciler: {
      beginList: () => void calls.push("beginList"),
      endList: () => void calls.push("endList"),
      apply: (_source, object, listed) => void calls.push(`apply ${object.metadata.name}${listed ? " listed" : ""}`),
      delete: (_source, object) => void calls.push(`delete ${object.metadata.name}`),
      retire: (_source, object) => void calls.push(`retire ${object.metadata.name}`),
    },
    admit: (_source, { metadata }) => {
      calls.push(`admit ${metadata.name}`);
      return Promise.resolve(metadata.deletionTimestamp === undefined ? "apply" : "retire");
    },
    selects: (namespace) => namespace === "default",
    log,
    ...options,
  });
  return { it, calls, log };
}

Deno.test("FileObjects hands everything on to the reconciler, in order", async () => {
  const { it, calls } = sink({ admit: undefined });
  it.beginList();
  await it.apply(configMap("a"), true, SIGNAL);
  it.endList();
  await it.apply(configMap("b"), false, SIGNAL);
  it.delete(configMap("a"));
  assert.deepEqual(calls, ["beginList", "apply a listed", "endList", "apply b", "delete a"]);
});

Deno.test("FileObjects retires an object that is not admitted", async () => {
  const { it, calls } = sink();
  await it.apply(configMap("a"), false, SIGNAL);
  await it.apply(configMap("b", {}, LEAVING), true, SIGNAL);
  assert.deepEqual(calls, ["admit a", "apply a", "admit b", "retire b"]);
});

Deno.test("FileObjects gives no finalizer to an object that is not selected, and lets it go", async () => {
  const { it, calls, log } = sink();
  await it.apply(configMap("a", {}, { namespace: "other" }), true, SIGNAL);
  await it.apply(configMap("b", {}, { namespace: "other", ...LEAVING }), true, SIGNAL);
  assert.deepEqual(calls, ["apply a listed", "admit b", "retire b"]);
  assert.equal(log.lines[0], "debug: ConfigMap other/a: its namespace is not selected");
});
