import assert from "node:assert/strict";
import type { Collection } from "../../../lib/config/collection_settings.ts";
import { parseConfigFile } from "../../../lib/config/config_file.ts";
import { Reload } from "../../../lib/sidecar/collections/reload.ts";
import { keptLog } from "../../support/api_gateway.ts";
import { tempFolder } from "../../support/disk.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { until } from "../../support/local_servers.ts";

const config = (...names: string[]) =>
  `version: 1\ncollections:\n${
    names.map((name) => `- { name: ${name}, label: app, folder: /data/${name} }\n`).join("")
  }`;

/** Follows `config.yaml`, which has one collection, `a`. */
function following(path: (folder: string) => string = (folder) => `${folder}/config.yaml`) {
  const folder = tempFolder();
  const file = path(folder.path);
  if (file === `${folder.path}/config.yaml`) Deno.writeTextFileSync(file, config("a"));
  const used: string[][] = [];
  const results: boolean[] = [];
  const clock = new FakeClock();
  const log = keptLog();
  const stop = new AbortController();
  let hangup = () => {};
  let failure: Error | undefined;
  const reload = new Reload({
    file: {
      path: file,
      text: config("a"),
      parse(text) {
        const { collections, faults, warnings } = parseConfigFile(text, { path: "config.yaml", env: {} });
        return { collections, faults: faults.map(({ message }) => message), warnings };
      },
      onHangup: (listener) => void (hangup = listener),
    },
    collections: {
      replace(collections: readonly Collection[]) {
        if (failure !== undefined) return Promise.reject(failure);
        used.push(collections.map(({ name }) => name));
        return Promise.resolve();
      },
    },
    onResult: (isUsed) => void results.push(isUsed),
    heartbeat: { expectWithin() {}, idle() {} },
    clock,
    log,
  });
  const running = reload.run(stop.signal);
  return {
    ...{ folder: folder.path, file, reload, used, results, clock, log },
    hangup: () => hangup(),
    fail: (error: Error | undefined) => void (failure = error),
    /** Lets an announced change take effect. */
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      folder[Symbol.dispose]();
    },
  };
}

/** Moves time on until something is the case. */
async function within(clock: FakeClock, seconds: number, condition: () => boolean): Promise<void> {
  const step = seconds / 100;
  await until(() => {
    void clock.advance(step);
    return condition();
  });
}

Deno.test("Reload uses a version that was written while the process started", async () => {
  const folder = tempFolder();
  const path = `${folder.path}/early.yaml`;
  Deno.writeTextFileSync(path, config("a", "b"));
  await using it = following(() => path);
  await until(() => it.used.length > 0);
  assert.deepEqual(it.used, [["a", "b"]]);
  folder[Symbol.dispose]();
});

Deno.test("Reload uses a version that an editor renames into place", async () => {
  await using it = following();
  Deno.writeTextFileSync(`${it.folder}/config.yaml~`, config("a", "b"));
  Deno.renameSync(`${it.folder}/config.yaml~`, it.file);
  await within(it.clock, 1, () => it.used.length === 1);
  assert.deepEqual(it.used, [["a", "b"]]);
  assert.deepEqual(it.results, [true]);
});

Deno.test("Reload uses a version that the kubelet swaps in", async () => {
  await using it = following((folder) => {
    Deno.mkdirSync(`${folder}/..1`);
    Deno.writeTextFileSync(`${folder}/..1/mounted.yaml`, config("a"));
    Deno.symlinkSync("..1", `${folder}/..data`);
    Deno.symlinkSync("..data/mounted.yaml", `${folder}/mounted.yaml`);
    return `${folder}/mounted.yaml`;
  });
  Deno.mkdirSync(`${it.folder}/..2`);
  Deno.writeTextFileSync(`${it.folder}/..2/mounted.yaml`, config("b"));
  Deno.symlinkSync("..2", `${it.folder}/..data_tmp`);
  Deno.renameSync(`${it.folder}/..data_tmp`, `${it.folder}/..data`);
  await within(it.clock, 1, () => it.used.length === 1);
  assert.deepEqual(it.used, [["b"]]);
});

Deno.test("Reload changes nothing with a broken version, and says so once", async () => {
  await using it = following();
  Deno.writeTextFileSync(it.file, "version: 1\ncollections:\n- { name: a, labl: app, folder: data }\n");
  await within(it.clock, 1, () => it.results.length === 1);
  const errors = () => it.log.lines.filter((line) => line.startsWith("error"));
  assert.equal(errors().length, 1);
  assert.match(errors()[0] ?? "", /the sidecar goes on with the one before: config\.yaml:3:\d+ .*labl/);
  assert.match(it.reload.fault ?? "", /labl/);
  it.hangup();
  await within(it.clock, 1, () => it.results.length === 2);
  assert.equal(errors().length, 1);
  Deno.writeTextFileSync(it.file, config("c"));
  await within(it.clock, 1, () => it.used.length === 1);
  assert.deepEqual([it.used, it.reload.fault], [[["c"]], undefined]);
});

Deno.test("Reload tries a version again that failed for a reason outside of the file", async () => {
  await using it = following();
  it.fail(new Error("cannot create /data/b"));
  Deno.writeTextFileSync(it.file, config("b"));
  await within(it.clock, 1, () => it.results.length === 1);
  assert.match(it.reload.fault ?? "", /cannot create/);
  it.fail(undefined);
  await within(it.clock, 61, () => it.used.length === 1);
  assert.deepEqual(it.used, [["b"]]);
});

Deno.test("Reload goes on when the file is gone", async () => {
  await using it = following();
  Deno.removeSync(it.file);
  await within(it.clock, 1, () => it.results.length === 1);
  assert.match(it.reload.fault ?? "", /config\.yaml cannot be used: /);
});

Deno.test("Reload answers a SIGHUP though nothing changed", async () => {
  await using it = following();
  it.hangup();
  await within(it.clock, 1, () => it.log.lines.some((line) => line.endsWith("config.yaml is unchanged")));
  assert.deepEqual(it.used, []);
});

Deno.test("Reload gives whoever has emptied the file a second to write it", async () => {
  await using it = following();
  Deno.writeTextFileSync(it.file, "");
  await within(it.clock, 0.3, () => it.clock.nextDue! <= 1);
  assert.deepEqual(it.results, []);
  Deno.writeTextFileSync(it.file, config("d"));
  await within(it.clock, 2, () => it.used.length === 1);
  assert.deepEqual([it.used, it.results], [[["d"]], [true]]);
  Deno.writeTextFileSync(it.file, "");
  await within(it.clock, 3, () => it.results.length === 2);
  assert.match(it.reload.fault ?? "", /the file is empty/);
});

Deno.test("Reload does not read what is no file", async () => {
  await using it = following();
  Deno.removeSync(it.file);
  Deno.symlinkSync("/dev/null", it.file);
  // Announced or not, it is looked at every minute
  await within(it.clock, 100, () => /config\.yaml cannot be used: it is no file/.test(it.reload.fault ?? ""));
});
