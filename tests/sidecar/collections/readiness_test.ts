import assert from "node:assert/strict";
import { Readiness } from "../../../lib/sidecar/collections/readiness.ts";
import { describeSource, type Source, type WatchTarget } from "../../../lib/objects/source.ts";

/** A collection in which nothing is lacking, until a test changes it. */
function readyParts() {
  const settled: { isSettled: boolean; failures: Error[] } = { isSettled: true, failures: [] };
  return {
    namespaces: { source: { kind: "Namespace", labelSelector: "team=a" } as WatchTarget, isKnown: true },
    followers: { describe: (source: WatchTarget) => describeSource(source) },
    reconciler: { unlisted: [] as Source[], outcome: settled },
    downloads: { awaited: new Set<string>(), unpacking: new Set<string>(), diskFaults: new Map<string, string>() },
    folderFault: (): string | undefined => undefined,
    allowance: { isOver: () => false },
  };
}

type Parts = ReturnType<typeof readyParts>;

for (
  const [what, breakIt, reason] of [
    ["namespaces", ({ namespaces }) => void (namespaces.isKnown = false), "namespaces with labels team=a"],
    ["a source", ({ reconciler }) => void reconciler.unlisted.push({ kind: "Secret" }), "secrets in all namespaces"],
    ["files", ({ reconciler }) => void (reconciler.outcome.isSettled = false), "files are being written"],
    ["a file that failed", ({ reconciler: { outcome } }) => {
      outcome.isSettled = false;
      outcome.failures.push(new Error("the disk is full"));
    }, "the disk is full"],
    ["a download", ({ downloads }) => void downloads.awaited.add("/data/a"), "waiting for the content of /data/a"],
    ["an archive", ({ downloads, allowance }) => {
      downloads.unpacking.add("/data/a");
      allowance.isOver = () => true;
    }, "waiting for the content of /data/a"],
    ["its folder", (parts) => void (parts.folderFault = () => "cannot make /data"), "cannot make /data"],
    ["a disk for downloads", ({ downloads }) => void downloads.diskFaults.set("/data/a", "no space"), "no space"],
  ] as [string, (parts: Parts) => void, string][]
) {
  Deno.test(`check() is not ready while it lacks ${what}`, () => {
    const parts = readyParts();
    breakIt(parts);
    const readiness = new Readiness({ ...parts, onReady: () => assert.fail() });
    assert.equal(readiness.check(), `not synced yet: ${reason}`);
    assert.equal(readiness.isReady, false);
  });
}

Deno.test("check() is ready for good once nothing is lacking", () => {
  const parts = readyParts();
  let calls = 0;
  const readiness = new Readiness({ ...parts, onReady: () => void calls++ });
  parts.downloads.awaited.add("/data/a");
  assert.equal(readiness.check(), "not synced yet: waiting for the content of /data/a");
  assert.deepEqual([readiness.isReady, calls], [false, 0]);
  parts.downloads.awaited.clear();
  assert.equal(readiness.check(), undefined);
  parts.downloads.awaited.add("/data/a");
  assert.equal(readiness.check(), undefined);
  assert.deepEqual([readiness.isReady, calls], [true, 1]);
});

Deno.test("check() is ready without downloads that take too long", () => {
  const parts = readyParts();
  parts.downloads.awaited.add("/data/a");
  parts.allowance.isOver = () => true;
  assert.equal(new Readiness({ ...parts, onReady: () => {} }).check(), undefined);
});
