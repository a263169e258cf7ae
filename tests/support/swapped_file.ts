/** A neighbour that puts a FIFO and a file in each other's place, as fast as it can, and a program that must not wait for it. */
import assert from "node:assert/strict";

const SWAPPER = `
  const [path, ...others] = Deno.args;
  for (;;) {
    for (const other of others) {
      Deno.linkSync(other, path + "-next");
      Deno.renameSync(path + "-next", path);
    }
  }
`;

/**
 * Runs a program in a process of its own, under another user if wanted, while a neighbour swaps what is at `DIR/file`. The
 * program gets `DIR` as argument. Fails when it does not end within 30 s.
 *
 * @returns what it wrote
 */
export async function whileSwapped(dir: string, program: string, user: { uid?: number; mode?: number } = {}) {
  const path = `${dir}/file`;
  const [file, fifo] = [`${dir}/the-file`, `${dir}/the-fifo`];
  Deno.writeTextFileSync(file, "x");
  Deno.chmodSync(file, user.mode ?? 0o644);
  const { success } = new Deno.Command("mkfifo", { args: ["-m", "644", fifo] }).outputSync();
  assert.ok(success, "mkfifo failed");
  Deno.chmodSync(dir, 0o777);
  Deno.linkSync(file, path);
  const command = (script: string, args: string[]) => ({ args: ["eval", "--no-config", script, ...args] });
  const swapper = new Deno.Command(Deno.execPath(), { ...command(SWAPPER, [path, fifo, file]), stdout: "null" })
    .spawn();
  const ids = user.uid === undefined ? {} : { uid: user.uid, gid: user.uid };
  const victim = new Deno.Command(Deno.execPath(), {
    ...command(program, [dir]),
    ...ids,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isStuck = false;
  const timer = setTimeout(() => {
    isStuck = true;
    victim.kill("SIGKILL");
  }, 30_000);
  const { stdout, stderr } = await victim.output();
  clearTimeout(timer);
  swapper.kill("SIGKILL");
  await swapper.status;
  assert.ok(!isStuck, "the program waits for the FIFO");
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}
