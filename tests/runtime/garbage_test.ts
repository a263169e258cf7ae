import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { Garbage } from "../../lib/runtime/garbage.ts";
import { FakeClock } from "../support/fake_clock.ts";

const MiB = 2 ** 20;

function open() {
  const clock = new FakeClock();
  const collections: string[] = [];
  const garbage = new Garbage({ clock, collector: (flavor) => void collections.push(flavor) });
  return { clock, collections, garbage };
}

Deno.test("Garbage.count() collects once for every four MiB", () => {
  const { garbage, collections } = open();
  using _ = garbage;
  for (let read = 0; read < 12 * MiB; read += 2 ** 15) garbage.count(2 ** 15);
  assert.deepEqual(collections, ["regular", "regular", "regular"]);
});

Deno.test("Garbage.count() returns memory when enough was read and none follows", async () => {
  const { clock, garbage, collections } = open();
  using _ = garbage;
  garbage.count(MiB / 4);
  await clock.advance(10);
  assert.deepEqual(collections, []);
  garbage.count(MiB / 4);
  await clock.advance(0.3);
  garbage.count(1);
  await clock.advance(0.4);
  assert.deepEqual(collections, []);
  await clock.advance(0.4);
  assert.deepEqual(collections, ["last-resort"]);
  await clock.advance(10);
  assert.equal(clock.sleeping, 0);
  garbage.count(MiB);
  await clock.advance(1);
  assert.deepEqual(collections, ["last-resort", "last-resort"]);
});

Deno.test("Garbage.sweep() returns memory at once, and only once", async () => {
  const { clock, garbage, collections } = open();
  using _ = garbage;
  garbage.count(MiB);
  garbage.sweep();
  await clock.advance(10);
  assert.deepEqual(collections, ["last-resort"]);
});

Deno.test("Garbage waits no longer once it is disposed of", async () => {
  const { clock, garbage, collections } = open();
  garbage.count(MiB);
  garbage[Symbol.dispose]();
  await clock.advance(10);
  assert.equal(clock.sleeping, 0);
  assert.deepEqual(collections, []);
});

for (const flag of ["--expose-gc", "--no-expose-gc"]) {
  Deno.test(`Garbage collects with V8's own collector under ${flag}`, async () => {
    const program = `
      import { systemClock } from "./lib/runtime/clock.ts";
      import { Garbage, v8Collector } from "./lib/runtime/garbage.ts";
      using garbage = new Garbage({ clock: systemClock, collector: v8Collector() });
      const used = () => Deno.memoryUsage().heapUsed;
      const before = used();
      Array.from({ length: 100 }, (_, index) => Array(50_000).fill(index)).at(0);
      const most = used();
      while (used() - before > (most - before) / 2) {
        garbage.count(4 * 2 ** 20);
        await systemClock.sleep(0.01);
      }
      console.log("collected");`;
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--ext=ts", "--v8-flags=" + flag, "-"],
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(program));
    await input.close();
    const { stdout, stderr } = await child.output();
    assert.deepEqual([stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)), ["collected\n", ""]);
  });
}

Deno.test("Objects are finalized with the flags of the binary: Deno's own fetch() relies on it", async () => {
  const flags = /--v8-flags=\S+/.exec(project.tasks.start.command)?.[0] ?? "";
  const program = `
    let finalized = false;
    const registry = new FinalizationRegistry(() => finalized = true);
    (() => registry.register({}, undefined))();
    for (let round = 0; round < 500 && !finalized; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      gc();
    }
    console.log(finalized);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", flags, program],
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.deepEqual([stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)), ["true\n", ""]);
});
