/** Objects become files, and files follow their objects. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { stories } from "../support/story.ts";

const story = stories();

const ANNOTATION = "k8s-sidecar-target-directory";

/** Bytes that are no UTF-8, and always the same. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0, state = 1; at < length; at++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    bytes[at] = state >> 16;
  }
  return bytes;
}

story(
  "both kinds become files, in all namespaces, with the mode that is asked for; what is not selected does not",
  async (at) => {
    const other = await at.makeNamespace(`${at.namespace}-other`);
    await at.create("ConfigMap", "early", { data: { "early.yaml": "a: 1\n" } });
    await at.create("ConfigMap", "other", { data: { "not-ours.yaml": "" }, labels: { other: "yes" } });
    await at.startReady({ DEFAULT_FILE_MODE: "640" });
    assertFolderEquals(at.folder, { "early.yaml": "a: 1\n" }, { mode: 0o640 });

    await at.create("Secret", "late", { data: { password: "päss" } });
    await at.create("ConfigMap", "far", { data: { "far.txt": "far" }, namespace: other });
    const expected = { "early.yaml": "a: 1\n", password: "päss", "far.txt": "far" };
    await eventually(() => assertFolderEquals(at.folder, expected, { mode: 0o640 }));
  },
);

story("an update changes the file, and a key that is removed takes its file away", async (at) => {
  await at.create("ConfigMap", "a", { data: { "one.txt": "1", "two.txt": "2" } });
  await at.create("Secret", "b", { data: { three: "3", four: "4" } });
  await at.startReady();
  assertFolderEquals(at.folder, { "one.txt": "1", "two.txt": "2", three: "3", four: "4" });

  await at.change("ConfigMap", "a", { data: { "one.txt": "longer than before" } });
  await at.change("Secret", "b", { data: { three: "drei", five: "5" } });
  const updated = { "one.txt": "longer than before", "two.txt": "2", three: "drei", four: "4", five: "5" };
  await eventually(() => assertFolderEquals(at.folder, updated));

  await at.change("ConfigMap", "a", { data: { "two.txt": null } });
  await at.change("Secret", "b", { data: { four: null } });
  await eventually(() => assertFolderEquals(at.folder, { "one.txt": "longer than before", three: "drei", five: "5" }));
});

story("an object that loses its label loses its files, and gets them back with it", async (at) => {
  await at.create("ConfigMap", "leaves", { data: { "leaves.txt": "x" } });
  await at.create("ConfigMap", "stays", { data: { "stays.txt": "x" } });
  await at.startReady({ LABEL_VALUE: "yes" });
  assertFolderEquals(at.folder, { "leaves.txt": "x", "stays.txt": "x" });

  await at.change("ConfigMap", "leaves", { labels: { [at.label]: "no" } });
  await eventually(() => assertFolderEquals(at.folder, { "stays.txt": "x" }));
  await at.change("ConfigMap", "leaves", { labels: { [at.label]: "yes" } });
  await eventually(() => assertFolderEquals(at.folder, { "leaves.txt": "x", "stays.txt": "x" }));
  await at.change("ConfigMap", "leaves", { labels: { [at.label]: null } });
  await eventually(() => assertFolderEquals(at.folder, { "stays.txt": "x" }));
});

story("files move when the folder annotation is added, changed and removed, and empty directories go", async (at) => {
  await at.create("ConfigMap", "moves", { data: { "moves.txt": "x" } });
  await at.create("ConfigMap", "deep", { data: { "deep.txt": "y" }, annotations: { [ANNOTATION]: "a/b/c" } });
  await at.startReady();
  assertFolderEquals(at.folder, { "moves.txt": "x", "a/b/c/deep.txt": "y" });

  await at.change("ConfigMap", "moves", { annotations: { [ANNOTATION]: "a/b" } });
  await eventually(() => assertFolderEquals(at.folder, { "a/b/moves.txt": "x", "a/b/c/deep.txt": "y" }));
  await at.change("ConfigMap", "moves", { annotations: { [ANNOTATION]: `${at.folder}/elsewhere` } });
  await eventually(() => assertFolderEquals(at.folder, { "elsewhere/moves.txt": "x", "a/b/c/deep.txt": "y" }));
  await at.change("ConfigMap", "moves", { annotations: { [ANNOTATION]: null } });
  await at.delete("ConfigMap", "deep");
  await eventually(() => assertFolderEquals(at.folder, { "moves.txt": "x" }));
});

story("a deleted object's files go, a new object of the same name gets its own", async (at) => {
  await at.create("ConfigMap", "a", { data: { "old.txt": "old", "both.txt": "old" } });
  await at.create("Secret", "b", { data: { secret: "s" } });
  await at.startReady();
  await at.delete("Secret", "b");
  await eventually(() => assertFolderEquals(at.folder, { "old.txt": "old", "both.txt": "old" }));
  await at.delete("ConfigMap", "a");
  await at.create("ConfigMap", "a", { data: { "new.txt": "new", "both.txt": "new" } });
  await eventually(() => assertFolderEquals(at.folder, { "new.txt": "new", "both.txt": "new" }));
  await at.delete("ConfigMap", "a");
  await eventually(() => assertFolderEquals(at.folder, {}));
});

story("what is big, many, strange or empty arrives byte for byte", async (at) => {
  const big = { "big.txt": "ü€😀\r\n".repeat(43_000), "big.bin": noise(430_000) };
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`many-${index}.txt`, `value ${index}`]));
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  const strange = {
    [letters]: "every character that a key may have",
    ".hidden": "a dot in front",
    "-dash": "a dash in front",
    "trailing.": "a dot at the end",
    "a..b": "two dots inside",
    ["k".repeat(253)]: "the longest",
    "no-content": "",
    "no-content.bin": new Uint8Array(0),
    "control.txt": "\0\u0001\u001f\u007f\ufeff\u2028\n",
    "every-byte.bin": Uint8Array.from({ length: 256 }, (_, byte) => byte),
  };
  await at.create("ConfigMap", "big", { data: big });
  await at.create("ConfigMap", "many", { data: many });
  await at.create("ConfigMap", "strange", { data: strange });
  await at.create("Secret", "strange", { data: { "secret.bin": noise(100_000) } });
  await at.create("ConfigMap", "empty");
  await at.create("Secret", "empty");
  const expected = { ...big, ...many, ...strange, "secret.bin": noise(100_000) };
  await at.startReady();
  assertFolderEquals(at.folder, expected);

  const changed = { "big.bin": noise(430_000).toReversed(), "many-1999.txt": "changed" };
  await at.change("ConfigMap", "big", { data: { "big.bin": changed["big.bin"] } });
  await at.change("ConfigMap", "many", { data: { "many-1999.txt": changed["many-1999.txt"] } });
  await eventually(() => assertFolderEquals(at.folder, { ...expected, ...changed }));
});

story("an object that points outside the folder is refused, and harms only itself", async (at) => {
  await at.create("ConfigMap", "up", { data: { "up.txt": "x" }, annotations: { [ANNOTATION]: "../outside" } });
  await at.create("ConfigMap", "away", {
    data: { "away.txt": "x" },
    annotations: { [ANNOTATION]: `${at.dir}/outside` },
  });
  await at.create("ConfigMap", "good", { data: { "good.txt": "x" } });
  const sidecar = await at.startReady();
  await at.create("ConfigMap", "later", { data: { "later.txt": "x" }, annotations: { [ANNOTATION]: "a/../b/." } });
  await eventually(() => assertFolderEquals(at.folder, { "good.txt": "x", "b/later.txt": "x" }));
  assert.deepEqual([...Deno.readDirSync(at.dir)].map(({ name }) => name), ["files"]);
  for (const name of ["up", "away"]) {
    const lines = sidecar.findAll(`ConfigMap ${at.namespace}/${name} refused: `);
    assert.deepEqual(lines.map(({ level }) => level), ["ERROR"]);
  }

  await at.change("ConfigMap", "up", { annotations: { [ANNOTATION]: "inside" } });
  await eventually(() => assertFolderEquals(at.folder, { "good.txt": "x", "b/later.txt": "x", "inside/up.txt": "x" }));
  await at.change("ConfigMap", "good", { data: { "good.txt": "y" }, annotations: { [ANNOTATION]: "../outside" } });
  await sidecar.logged(/\/good refused: .*; its last accepted files stay$/);
  assertFolderEquals(at.folder, { "good.txt": "x", "b/later.txt": "x", "inside/up.txt": "x" });
  await at.delete("ConfigMap", "good");
  await eventually(() => assertFolderEquals(at.folder, { "b/later.txt": "x", "inside/up.txt": "x" }));
});

story("REMOVE_DELAY has an object that is replaced change nothing, and one that is deleted go later", async (at) => {
  const data = { "a.txt": "1", "b.txt": "1" };
  await at.create("ConfigMap", "a", { data });
  const sidecar = await at.startReady({ REMOVE_DELAY: "3" });
  const stamp = () => Deno.lstatSync(join(at.folder, "a.txt")).ino;
  const before = stamp();
  await at.delete("ConfigMap", "a");
  await at.create("ConfigMap", "a", { data: { ...data, "b.txt": "2" } });
  await eventually(() => assertFolderEquals(at.folder, { ...data, "b.txt": "2" }));
  assert.equal(stamp(), before);
  await at.delete("ConfigMap", "a");
  await eventually(() => assertFolderEquals(at.folder, {}));
  // A file goes before its line is read
  await eventually(() => assert.ok(sidecar.find(": removed ")));
  assert.deepEqual(sidecar.findAll(/: (wrote|removed) /).map(({ msg }) => /(wrote|removed) .*/.exec(msg)?.[0]), [
    "wrote 2 files",
    `wrote ${at.folder}/b.txt`,
    "removed 2 files",
  ]);
});

story("of two objects that claim one path the first has it, and when it goes the other does", async (at) => {
  const content = { a: { "path.txt": "of a", "a.txt": "a" }, b: { "path.txt": "of b", "b.txt": "b" } };
  await at.create("ConfigMap", "a", { data: content.a });
  await at.create("Secret", "b", { data: content.b });
  const sidecar = await at.startReady();
  assertFolderEquals(at.folder, { "path.txt": "of a", "a.txt": "a", "b.txt": "b" });
  const warnings = sidecar.findAll(`${at.folder}/path.txt is claimed by `);
  assert.deepEqual(warnings.map(({ level }) => level), ["WARN"]);
  assert.match(warnings[0]?.msg ?? "", new RegExp(`ConfigMap ${at.namespace}/a and Secret ${at.namespace}/b`));

  await at.change("Secret", "b", { data: { "path.txt": "of b, changed" } });
  await at.create("ConfigMap", "c", { data: { "c.txt": "c" } });
  await eventually(() =>
    assertFolderEquals(at.folder, { "path.txt": "of a", "a.txt": "a", "b.txt": "b", "c.txt": "c" })
  );
  await at.delete("ConfigMap", "a");
  await eventually(() => assertFolderEquals(at.folder, { "path.txt": "of b, changed", "b.txt": "b", "c.txt": "c" }));
  await at.delete("Secret", "b");
  await eventually(() => assertFolderEquals(at.folder, { "c.txt": "c" }));
});

story("two sidecars with different selections share a folder", async (at) => {
  const labels = { [`${at.label}-2`]: "yes" };
  await at.create("ConfigMap", "first", { data: { "first.txt": "1", "gone.txt": "1" } });
  await at.create("ConfigMap", "second", { data: { "second.txt": "2", "gone-too.txt": "2" }, labels });
  const first = await at.startReady();
  const second = await at.startReady({ LABEL: `${at.label}-2` });
  assertFolderEquals(at.folder, { "first.txt": "1", "gone.txt": "1", "second.txt": "2", "gone-too.txt": "2" });

  await at.change("ConfigMap", "first", { data: { "gone.txt": null } });
  await eventually(() => assertFolderEquals(at.folder, { "first.txt": "1", "second.txt": "2", "gone-too.txt": "2" }));

  await Promise.all([first.kill9(), second.kill9()]);
  await at.change("ConfigMap", "second", { data: { "gone-too.txt": null } });
  await at.startReady();
  assertFolderEquals(at.folder, { "first.txt": "1", "second.txt": "2", "gone-too.txt": "2" });
  await at.startReady({ LABEL: `${at.label}-2` });
  assertFolderEquals(at.folder, { "first.txt": "1", "second.txt": "2" });
});
