import assert from "node:assert/strict";
import { FakeClock } from "../support/fake_clock.ts";
import { Obstacles } from "../../lib/reconcile/obstacles.ts";

for (
  const [what, arrange, change] of [
    ["a directory in the way is gone", (path) => Deno.mkdirSync(path), (path) => Deno.removeSync(path)],
    ["a directory in the way is emptied", (path) => Deno.mkdirSync(`${path}/other`, { recursive: true }), (path) => {
      Deno.removeSync(`${path}/other`);
      Deno.utimeSync(path, 1, 1);
    }],
    ["a file is no longer part of the path", (path) => Deno.writeTextFileSync(path.slice(0, -2), ""), (path) => {
      Deno.removeSync(path.slice(0, -2));
    }],
  ] as [string, (path: string) => void, (path: string) => void][]
) {
  Deno.test(`run() has the object read again when ${what}`, async () => {
    const folder = Deno.makeTempDirSync();
    try {
      const path = `${folder}/a/b`;
      if (what.includes("in the way")) Deno.mkdirSync(`${folder}/a`);
      arrange(path);
      const clock = new FakeClock();
      const changed: string[] = [];
      const obstacles = new Obstacles({ onChanged: (key) => changed.push(key), clock });
      const stop = new AbortController();
      const running = obstacles.run(stop.signal);
      obstacles.add("mine", path);
      obstacles.add("another", `${folder}/other/b`);
      // A file that is made beside it is not what is in the way
      Deno.writeTextFileSync(`${folder}/beside`, "");
      await clock.advance(10);
      assert.deepEqual(changed, []);
      change(path);
      await clock.advance(2);
      assert.deepEqual(changed, ["mine"]);
      await clock.advance(10);
      assert.deepEqual(changed, ["mine"]);
      stop.abort();
      await running;
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

Deno.test("run() looks at nothing while nothing is in the way", async () => {
  const clock = new FakeClock();
  const obstacles = new Obstacles({ onChanged: () => assert.fail(), clock });
  const stop = new AbortController();
  const running = obstacles.run(stop.signal);
  obstacles.add("a", "/nowhere/a");
  obstacles.forget("a");
  await clock.advance(10);
  stop.abort();
  await running;
});
