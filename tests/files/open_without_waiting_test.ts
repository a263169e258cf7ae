import assert from "node:assert/strict";
import { openWithoutWaiting } from "../../lib/files/open_without_waiting.ts";
import { diskTest, tempFolder } from "../support/disk.ts";
import { whileSwapped } from "../support/swapped_file.ts";

const MODULE = import.meta.resolve("../../lib/files/open_without_waiting.ts");

/** Opens until it was replaced ten times between the look and the open, and was opened at least once. */
const OPENS = `
  import { openWithoutWaiting } from "${MODULE}";
  const path = Deno.args[0] + "/file";
  let replaced = 0;
  let opened = 0;
  for (const end = Date.now() + 20_000; (replaced < 10 || opened === 0) && Date.now() < end;) {
    const present = Deno.lstatSync(path);
    if (!present.isFile) continue;
    const file = openWithoutWaiting(path, present);
    if (file === undefined) replaced++;
    else opened++;
    file?.close();
  }
  console.log(JSON.stringify({ replaced, opened }));
`;

Deno.test("openWithoutWaiting() waits for no FIFO that comes in the file's place", async () => {
  using folder = tempFolder();
  const { replaced, opened } = JSON.parse(await whileSwapped(folder.path, OPENS));
  assert.ok(replaced > 0 && opened > 0, `${replaced} replaced, ${opened} opened`);
});

diskTest("users", "openWithoutWaiting() of a file that is read-only for us waits for no FIFO", async () => {
  using folder = tempFolder();
  const { replaced, opened } = JSON.parse(await whileSwapped(folder.path, OPENS, { uid: 1001, mode: 0o444 }));
  assert.ok(replaced > 0 && opened > 0, `${replaced} replaced, ${opened} opened`);
});

Deno.test("openWithoutWaiting() opens only the file that was there", () => {
  using folder = tempFolder();
  const [path, other] = [`${folder.path}/file`, `${folder.path}/other`];
  for (const name of [path, other]) Deno.writeTextFileSync(name, name);
  const present = Deno.lstatSync(path);
  const opened = openWithoutWaiting(path, present);
  const buffer = new Uint8Array(1000);
  const read = opened?.readSync(buffer) ?? 0;
  assert.equal(new TextDecoder().decode(buffer.subarray(0, read)), path);
  assert.equal(opened?.readSync(buffer), null);
  opened?.close();
  Deno.removeSync(path);
  Deno.symlinkSync(other, path);
  assert.equal(openWithoutWaiting(path, present), undefined);
  Deno.removeSync(path);
  Deno.mkdirSync(path);
  assert.equal(openWithoutWaiting(path, present), undefined);
  Deno.removeSync(path);
  assert.throws(() => openWithoutWaiting(path, present), Deno.errors.NotFound);
});
