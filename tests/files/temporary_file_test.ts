import assert from "node:assert/strict";
import { Draft } from "../../lib/files/temporary_file.ts";
import { tempFolder } from "../support/disk.ts";
import { encode } from "../support/local_servers.ts";

function open(): { draft: Draft; text(): string; there(): boolean } & Disposable {
  const folder = tempFolder();
  const draft = new Draft(`${folder.path}/temporary`, `${folder.path}/file`);
  return {
    draft,
    text: () => Deno.readTextFileSync(draft.path),
    there: () => [...Deno.readDirSync(folder.path)].length > 0,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("Draft is on disk from the first write, readable by its owner alone whatever the umask", () => {
  using it = open();
  assert.equal(it.there(), false);
  const umask = Deno.umask(0);
  try {
    it.draft.write(encode("a"));
  } finally {
    Deno.umask(umask);
  }
  assert.equal(Deno.statSync(it.draft.path).mode! & 0o777, 0o600);
});

Deno.test("Draft holds what was written, in order, and starts anew when it is emptied", () => {
  using it = open();
  for (const piece of ["one ", "", "two"]) it.draft.write(encode(piece));
  assert.equal(it.text(), "one two");
  it.draft.empty();
  assert.equal(it.text(), "");
  it.draft.write(encode("three"));
  assert.equal(it.text(), "three");
});

Deno.test("create() makes an empty file, and leaves one that has something in it", () => {
  using it = open();
  it.draft.empty();
  assert.equal(it.there(), false);
  it.draft.create();
  assert.equal(it.text(), "");
  it.draft.write(encode("a"));
  it.draft.create();
  assert.equal(it.text(), "a");
});

Deno.test("write() takes no file that is there already, nor makes one anew that was removed", () => {
  using it = open();
  Deno.writeTextFileSync(it.draft.path, "somebody else's");
  assert.throws(() => it.draft.write(encode("a")), Deno.errors.AlreadyExists);
  assert.equal(it.text(), "somebody else's");
  Deno.removeSync(it.draft.path);
  it.draft.write(encode("a"));
  Deno.removeSync(it.draft.path);
  assert.throws(() => it.draft.write(encode("b")), Deno.errors.NotFound);
  assert.equal(it.there(), false);
});
