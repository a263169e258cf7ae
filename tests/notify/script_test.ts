import assert from "node:assert/strict";
import { systemClock } from "../../lib/runtime/clock.ts";
import { Script, ScriptError } from "../../lib/notify/script.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { until } from "../support/local_servers.ts";
import { entryLog } from "../support/webhook_at_work.ts";

/** A folder with a script in it, and what running it logged. */
async function makeScript(text: string, { mode = 0o755, clock = systemClock, timeout = 60 } = {}) {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/script`;
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, mode);
  const { log, at } = entryLog();
  const abort = new AbortController();
  const script = new Script({ path, timeout, clock, log });
  return {
    folder,
    path,
    abort,
    logged: at,
    run: (files: string[] = []) => script.run(files, abort.signal),
    written: (name: string) => Deno.readTextFile(`${folder}/${name}`).then((text) => text.trim(), () => ""),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function scriptError(promise: Promise<unknown>): Promise<ScriptError> {
  const error = await promise.then(() => assert.fail("did not reject"), (error) => error);
  assert.ok(error instanceof ScriptError, String(error));
  return error;
}

function runs(pid: string): boolean {
  try {
    // The state is the field after the name in parentheses; a zombie (Z) has ended.
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

/** Sets a variable of this process until disposed. */
function withVariable(name: string, value: string): Disposable {
  const before = Deno.env.get(name);
  Deno.env.set(name, value);
  return { [Symbol.dispose]: () => before === undefined ? Deno.env.delete(name) : Deno.env.set(name, before) };
}

Deno.test("run() runs an executable with the changed files in its environment", async () => {
  using _ = withVariable("MINE", "mine");
  await using script = await makeScript(
    '#!/bin/sh\nprintf %s "$SIDECAR_CHANGED_FILES$SIDECAR_CHANGED_FILES_TRUNCATED $MINE $0" >"${0%/*}/out"\n',
  );
  await script.run(["/d/a b.json", '/d/"q".json']);
  assert.equal(await script.written("out"), `["/d/a b.json","/d/\\"q\\".json"] mine ${script.path}`);
  assert.equal(script.logged("info").length, 1);
});

Deno.test("run() hands a file that is not executable to sh", async () => {
  await using script = await makeScript("echo plain >${0%/*}/out", { mode: 0o644 });
  await script.run();
  assert.equal(await script.written("out"), "plain");
});

Deno.test("run() logs each line of output at debug", async () => {
  await using script = await makeScript("#!/bin/sh\necho one; echo two >&2; printf three\n");
  await script.run();
  const lines = script.logged("debug").map(({ properties: { stream, line } }) => `${stream} ${line}`).sort();
  assert.deepEqual(lines, ["stderr two", "stdout one", "stdout three"]);
});

Deno.test("run() throws a failure's exit code and logs its last lines", async () => {
  await using script = await makeScript("#!/bin/sh\nfor n in $(seq 100); do echo line $n; done\nexit 3\n");
  const error = await scriptError(script.run());
  assert.equal(error.exitCode, 3);
  assert.equal(error.message, `Script ${script.path} failed with exit code 3`);
  const [entry, ...others] = script.logged("error");
  assert.equal(others.length, 0);
  const output = entry?.properties["output"] as string[];
  assert.deepEqual([output.length, output[0], output.at(-1)], [20, "line 81", "line 100"]);
});

Deno.test("run() says so when there is no such script", async () => {
  await using script = await makeScript("");
  await Deno.remove(script.path);
  assert.match((await scriptError(script.run())).message, /there is no such file$/);
});

Deno.test("run() says so when the interpreter of the script is missing", async () => {
  await using script = await makeScript("#!/no/such/interpreter\n");
  assert.match((await scriptError(script.run())).message, /interpreter in its first line is not in this image/);
});

Deno.test("run() says what to do when there is no sh", async () => {
  await using script = await makeScript("echo plain", { mode: 0o644 });
  using _ = withVariable("PATH", "/no/such/folder");
  const { message } = await scriptError(script.run());
  assert.match(message, /is not executable, and there is no sh .* make it executable .* debug image/);
  assert.deepEqual(script.logged("error").map((entry) => entry.message), [message]);
});

Deno.test("run() cuts a list of files that the environment cannot hold", async () => {
  await using script = await makeScript(
    '#!/bin/sh\nprintf "%s" "$SIDECAR_CHANGED_FILES" >"${0%/*}/list"\nprintf "%s" "$SIDECAR_CHANGED_FILES_TRUNCATED" >"${0%/*}/cut"\n',
  );
  const files = Array.from({ length: 5000 }, (_, n) => `/folder/with/ümläuts/${n}.json`);
  await script.run(files);
  const told = JSON.parse(await script.written("list"));
  assert.deepEqual(told, files.slice(0, told.length));
  assert.ok(told.length > 3000 && told.length < 5000, String(told.length));
  assert.equal(await script.written("cut"), "true");

  const overhead = 'SIDECAR_CHANGED_FILES=[""]'.length + 1;
  const exact = "x".repeat(131_072 - overhead);
  await script.run([exact]);
  assert.deepEqual([await script.written("list"), await script.written("cut")], [`["${exact}"]`, ""]);
  await script.run([`${exact}x`]);
  assert.deepEqual([await script.written("list"), await script.written("cut")], ["[]", "true"]);
});

/** Ignores SIGTERM, and so does the child it waits for. */
const STUBBORN = `#!/bin/sh
trap '' TERM
sleep 1000 &
echo $! >"\${0%/*}/grandchild"
echo $$ >"\${0%/*}/pid"
while :; do wait; done
`;

async function started(script: Awaited<ReturnType<typeof makeScript>>): Promise<[pid: string, grandchild: string]> {
  let pid = "";
  while ((pid = await script.written("pid")) === "") await new Promise((resolve) => setTimeout(resolve, 5));
  return [pid, await script.written("grandchild")];
}

Deno.test("run() ends a script that takes too long, first gently", async () => {
  const clock = new FakeClock();
  await using script = await makeScript(
    '#!/bin/sh\ntrap "echo bye >${0%/*}/out; exit 7" TERM\necho $$ >"${0%/*}/pid"\nwhile :; do sleep 0.05; done\n',
    { clock },
  );
  const outcome = scriptError(script.run());
  await started(script);
  await clock.advance(60);
  const error = await outcome;
  assert.match(error.message, /was ended because it took longer than 60 s \(SCRIPT_TIMEOUT\)$/);
  assert.deepEqual([error.exitCode, await script.written("out"), clock.sleeping], [7, "bye", 0]);
});

Deno.test("run() kills the whole group of a script that ignores SIGTERM", async () => {
  const clock = new FakeClock();
  await using script = await makeScript(STUBBORN, { clock });
  const outcome = scriptError(script.run());
  const [pid, grandchild] = await started(script);
  await clock.advance(60);
  assert.ok(runs(pid) && runs(grandchild));
  await until(() => clock.nextDue === 2);
  await clock.advance(2);
  assert.equal((await outcome).exitCode, 137);
  await until(() => !runs(pid) && !runs(grandchild));
});

Deno.test("run() kills a child that outlives a script ended by SIGTERM", async () => {
  const clock = new FakeClock();
  await using script = await makeScript(
    '#!/bin/sh\n(trap "" TERM; exec sleep 1000) &\necho $! >"${0%/*}/grandchild"\necho $$ >"${0%/*}/pid"\nwait\n',
    { clock },
  );
  const outcome = scriptError(script.run());
  const [, grandchild] = await started(script);
  await clock.advance(60);
  assert.equal((await outcome).exitCode, 143);
  await until(() => !runs(grandchild));
});

Deno.test("run() kills the whole group when the signal aborts", async () => {
  const clock = new FakeClock();
  await using script = await makeScript(STUBBORN, { clock });
  const outcome = assert.rejects(script.run(), /stop/);
  const [pid, grandchild] = await started(script);
  script.abort.abort(new Error("stop"));
  await until(() => clock.nextDue === 0.5);
  await clock.advance(0.5);
  await outcome;
  await until(() => !runs(pid) && !runs(grandchild));
  assert.deepEqual(script.logged("error"), []);
  await assert.rejects(script.run(), /stop/);
});

Deno.test("run() kills a late script at once when the signal aborts", async () => {
  const clock = new FakeClock();
  await using script = await makeScript(STUBBORN, { clock });
  const outcome = assert.rejects(script.run(), /stop/);
  const [pid, grandchild] = await started(script);
  await clock.advance(60);
  await until(() => clock.nextDue === 2);
  script.abort.abort(new Error("stop"));
  await outcome;
  await until(() => !runs(pid) && !runs(grandchild));
  assert.equal(clock.sleeping, 0);
});

Deno.test("run() leaves background processes of the script running", async () => {
  const clock = new FakeClock();
  await using script = await makeScript('#!/bin/sh\nsleep 1000 &\necho $! >"${0%/*}/grandchild"\necho done\n', {
    clock,
  });
  const run = script.run();
  await until(() => clock.nextDue === 1);
  await clock.advance(1);
  await run;
  const grandchild = await script.written("grandchild");
  assert.ok(runs(grandchild));
  Deno.kill(Number(grandchild), "SIGKILL");
  await until(() => !runs(grandchild));
});

Deno.test("run() logs a failure once, and that it works again", async () => {
  await using script = await makeScript("#!/bin/sh\ntest -e ${0%/*}/works\n");
  for (let round = 0; round < 3; round++) await scriptError(script.run());
  assert.equal(script.logged("error").length, 1);
  await Deno.writeTextFile(`${script.folder}/works`, "");
  await script.run();
  await script.run();
  const [again, later] = script.logged("info").map(({ message }) => message);
  assert.match(again!, /works again$/);
  assert.match(later!, /succeeded$/);
});
