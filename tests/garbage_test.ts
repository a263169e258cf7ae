import assert from "node:assert/strict";
import { collectGarbage, countGarbage } from "../lib/garbage.ts";

Deno.test("countGarbage() collects once for every four MiB, collectGarbage() when half a MiB was read", () => {
  const host = globalThis as { gc?: () => void };
  const before = host.gc;
  let collections = 0;
  host.gc = () => collections++;
  try {
    for (let read = 0; read < 12 * 2 ** 20; read += 2 ** 15) countGarbage(2 ** 15);
    assert.equal(collections, 3);
    collectGarbage();
    assert.equal(collections, 3);
    countGarbage(2 ** 19);
    collectGarbage();
    assert.equal(collections, 4);
  } finally {
    if (before === undefined) delete host.gc;
    else host.gc = before;
  }
});
