import assert from "node:assert/strict";
import { systemClock } from "../../lib/runtime/clock.ts";
import type { Log } from "../../lib/log/log.ts";
import { type LogOptions, type LogOutput, openLog } from "../../lib/log/open_log.ts";
import { tempFolder } from "../support/disk.ts";

type FileOutput = LogOutput & { to: "file" };

/** Logs through `use`, then closes the files. */
async function logging(outputs: LogOutput[], use: (log: Log) => void, options: Partial<LogOptions> = {}) {
  use(await openLog({ level: "DEBUG", outputs, utc: true, clock: systemClock, ...options }));
  await openLog({ level: "INFO", outputs: [], utc: true, clock: systemClock });
}

function fileOutput(path: string, options: Partial<FileOutput> = {}): FileOutput {
  return { to: "file", path, maxBytes: 0, backupCount: 0, format: "JSON", ...options };
}

/** The messages in a file of JSON lines. */
function messagesIn(path: string): string[] {
  return Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line).msg);
}

const everyLevel = (log: Log) => {
  for (const level of ["debug", "info", "warn", "error", "critical"] as const) log[level](`at ${level}`);
};

Deno.test("openLog() logs its level and above", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/log`;
  await logging([fileOutput(path)], everyLevel, { level: "WARN" });
  const lines = Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ level, msg }) => [level, msg]), [
    ["WARN", "at warn"],
    ["ERROR", "at error"],
    ["CRITICAL", "at critical"],
  ]);
});

Deno.test("openLog() gives each output its own level and format", async () => {
  using folder = tempFolder();
  const [all, errors] = [`${folder.path}/all`, `${folder.path}/errors`];
  await logging([fileOutput(all), fileOutput(errors, { level: "ERROR", format: "LOGFMT" })], everyLevel);
  assert.equal(messagesIn(all).length, 5);
  const lines = Deno.readTextFileSync(errors).trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/^time=\S+ /, "")), [
    'level=ERROR msg="at error"',
    'level=CRITICAL msg="at critical"',
  ]);
});

Deno.test("openLog() adds to a file that is there", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/log`;
  for (const message of ["first start", "second start"]) {
    await logging([fileOutput(path)], (log) => log.info(message));
  }
  assert.deepEqual(messagesIn(path), ["first start", "second start"]);
});

Deno.test("openLog() keeps backupCount older files of at most maxBytes", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/log`;
  const messages = Array.from({ length: 50 }, (_, index) => `message ${index}`);
  await logging([fileOutput(path, { maxBytes: 500, backupCount: 3 })], (log) => messages.forEach((m) => log.info(m)));
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assert.deepEqual(names, ["log", "log.1", "log.2", "log.3"]);
  for (const name of names) assert.ok(Deno.statSync(`${folder.path}/${name}`).size <= 500, name);
  const kept = ["log.3", "log.2", "log.1", "log"].flatMap((name) => messagesIn(`${folder.path}/${name}`));
  assert.ok(kept.length > 4);
  assert.deepEqual(kept, messages.slice(-kept.length), "from the oldest to the newest, none lost in between");
});

Deno.test("openLog() never rotates when maxBytes or backupCount is 0", async () => {
  for (const limits of [{ maxBytes: 100, backupCount: 0 }, { maxBytes: 0, backupCount: 3 }]) {
    using folder = tempFolder();
    const path = `${folder.path}/log`;
    await logging([fileOutput(path, limits)], (log) => {
      for (let count = 0; count < 20; count++) log.info("message");
    });
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["log"]);
    assert.equal(messagesIn(path).length, 20);
  }
});

Deno.test("openLog() throws when a log file cannot be opened", async () => {
  using folder = tempFolder();
  const outputs = [fileOutput(`${folder.path}/none/log`)];
  await assert.rejects(openLog({ level: "INFO", outputs, utc: true, clock: systemClock }), /none\/log/);
});

Deno.test("openLog() writes lines synchronously", async () => {
  const program = `
    import { openLog } from ${JSON.stringify(new URL("../../lib/log/open_log.ts", import.meta.url).href)};
    const outputs = [{ to: "stdout", format: "JSON" }, { to: "stderr", format: "TEXT", level: "ERROR" }];
    const log = await openLog({ level: "INFO", outputs, utc: true, clock: { now: () => 0, sleep: () => Promise.resolve() } });
    log.info("with {placeholders} and \\n a break", { path: "/a" });
    log.error("the last words");
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", new URL("../../deno.json", import.meta.url).pathname, program],
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ msg, path }) => [msg, path]), [
    ["with {placeholders} and \n a break", "/a"],
    ["the last words", undefined],
  ]);
  assert.match(new TextDecoder().decode(stderr), /^\S+ ERROR the last words\n$/);
});
