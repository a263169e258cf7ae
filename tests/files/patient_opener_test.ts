import assert from "node:assert/strict";
import { PatientOpener } from "../../lib/files/patient_opener.ts";
import { keptLog } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { until } from "../support/local_servers.ts";

function makeFifo(path: string): void {
  assert.ok(new Deno.Command("mkfifo", { args: [path] }).outputSync().success, "mkfifo failed");
}

/** Has the opener wait for something until it gives up. */
async function giveUp(opener: PatientOpener, clock: FakeClock, path: string): Promise<void> {
  const opened = opener.open(path);
  await until(() => clock.sleeping > 0);
  await clock.advance(5);
  assert.equal(await opened, undefined);
}

Deno.test("PatientOpener opens files, and nothing that is not there", async () => {
  using folder = tempFolder();
  const log = keptLog();
  const opener = new PatientOpener(new FakeClock(), log);
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "");
  using file = await opener.open(path);
  assert.ok(file);
  assert.equal(await opener.open(`${path}-missing`), undefined);
  assert.deepEqual(log.lines, []);
});

Deno.test("PatientOpener gives a FIFO up, which is told, and ends its thread", async () => {
  using folder = tempFolder();
  const clock = new FakeClock();
  const log = keptLog();
  const opener = new PatientOpener(clock, log);
  const path = `${folder.path}/fifo`;
  makeFifo(path);
  await giveUp(opener, clock, path);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0]!, /^warn: .*fifo cannot be opened within 5 s: somebody replaced it$/);
});

Deno.test("PatientOpener opens no more after three FIFOs that were taken away", async () => {
  using folder = tempFolder();
  const clock = new FakeClock();
  const log = keptLog();
  const opener = new PatientOpener(clock, log);
  const paths = [1, 2, 3].map((count) => `${folder.path}/fifo-${count}`);
  for (const path of paths) {
    makeFifo(path);
    const opened = opener.open(path);
    await until(() => clock.sleeping > 0);
    // The thread waits in the open by now
    await new Promise((resolve) => setTimeout(resolve, 50));
    Deno.renameSync(path, `${path}-away`);
    await clock.advance(5);
    assert.equal(await opened, undefined);
  }
  assert.match(log.lines.at(-1)!, /files are compared without their content from now on$/);
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "");
  assert.equal(await opener.open(path), undefined);
  for (const path of paths) Deno.openSync(`${path}-away`, { read: true, write: true }).close();
  await until(() => log.lines.length === 3);
  await new Promise((resolve) => setTimeout(resolve, 50));
});
