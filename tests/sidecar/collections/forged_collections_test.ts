/** The collections that a record names, when somebody else wrote the record. */
import assert from "node:assert/strict";
import { RESERVED_PREFIX } from "../../../lib/files/paths.ts";
import { until } from "../../support/local_servers.ts";
import { collectionsPlace } from "../../support/many_collections.ts";
import { tempFolder } from "../../support/disk.ts";

type Place = Awaited<ReturnType<typeof collectionsPlace>>;

const item = (name: string, folder: string) =>
  `- { name: ${name}, label: app, resource: configmap, folder: FOLDER/${folder} }\n`;
const config = (...items: string[]) => `version: 1\ncollections:\n${items.join("")}`;

/** The directory of the only collection in a folder. */
function stateOf(folder: string): string {
  const own = [...Deno.readDirSync(folder)].find(({ name }) => name.startsWith(RESERVED_PREFIX));
  return `${folder}/${own?.name}`;
}

function idOf(state: string): string {
  return state.slice(state.lastIndexOf(RESERVED_PREFIX) + RESERVED_PREFIX.length);
}

/** One run that writes the record, one with more lines in the record of the first collection. */
async function runWith(at: Place, lines: (folder: string) => unknown[]): Promise<string[]> {
  const text = config(item("one", "1"), item("two", "2"));
  {
    await using it = await at.start(text);
    it.run();
    await until(() => it.collections.notReady() === undefined);
  }
  const record = `${stateOf(`${at.path}/1`)}/state/record`;
  const added = lines(at.path).map((line) => `${JSON.stringify(line)}\n`).join("");
  Deno.writeTextFileSync(record, added, { append: true });
  await using it = await at.start(text);
  it.run();
  await until(() => it.collections.notReady() === undefined);
  await it.clock.advance(5);
  return it.log.lines;
}

Deno.test("A collection in a forged record removes no file as its record", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  using elsewhere = tempFolder();
  const victim = `${elsewhere.path}/victim`;
  Deno.writeTextFileSync(victim, "precious");
  await runWith(at, (folder) => {
    Deno.mkdirSync(`${folder}/1/${RESERVED_PREFIX}abc/state`, { recursive: true });
    const forged = { name: "x", folder: `${folder}/1`, id: "abc", stateFile: victim, onRemove: "delete" };
    return [["collection", forged]];
  });
  assert.equal(Deno.readTextFileSync(victim), "precious");
  assert.deepEqual([...Deno.readDirSync(elsewhere.path)].map(({ name }) => name), ["victim"]);
});

Deno.test("A collection in a forged record is not that of another process", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  {
    await using other = await at.start(config(item("three", "3"), item("four", "4")));
    other.run();
    await until(() => other.collections.notReady() === undefined);
  }
  await runWith(at, (folder) => {
    const id = idOf(stateOf(`${folder}/3`));
    return [["collection", { name: "three", folder: `${folder}/3`, id, onRemove: "delete" }]];
  });
  assert.deepEqual(at.files("3"), { "a.txt": "a" });
});

Deno.test("A collection in a forged record is not a running one by another path", async () => {
  await using at = collectionsPlace();
  at.create("a", { "a.txt": "a" });
  let record = "";
  await runWith(at, (folder) => {
    const state = stateOf(`${folder}/2`);
    record = `${state}/state/record`;
    // Its inode is not used again
    Deno.linkSync(record, `${folder}/link`);
    Deno.symlinkSync(`${folder}/2`, `${folder}/1/link`);
    return [["collection", { name: "x", folder: `${folder}/1/link`, id: idOf(state), onRemove: "delete" }]];
  });
  assert.equal(Deno.lstatSync(record).ino, Deno.lstatSync(`${at.path}/link`).ino);
  assert.deepEqual(at.files("2"), { "a.txt": "a" });
});

for (const folder of ["/x".repeat(3000), `/${"x".repeat(300)}`, "/a\0b", "/proc/self"]) {
  Deno.test(`A forged record with the folder ${JSON.stringify(folder.slice(0, 20))} ends nothing`, async () => {
    await using at = collectionsPlace();
    at.create("a", { "a.txt": "a" });
    await runWith(at, () => [["collection", { name: "x", folder, id: "abc", onRemove: "delete" }]]);
    assert.deepEqual(at.files("1"), { "a.txt": "a" });
  });
}
