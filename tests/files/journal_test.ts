import assert from "node:assert/strict";
import { Journal } from "../../lib/files/journal.ts";
import { keptLog } from "../support/api_gateway.ts";
import { diskTest, exists, fill, smallDisk, tempFolder, text } from "../support/disk.ts";
import { forSeeds, pick } from "../support/random.ts";

const OWNER = "ConfigMap/default/a";

/** A folder with a journal in it that can be read again, as after a restart. */
function journalIn(folder: { path: string }) {
  const path = `${folder.path}/journal`;
  const log = keptLog();
  return {
    path,
    log,
    load: () => new Journal(path, log),
    write: (content: string) => Deno.writeTextFileSync(path, content),
  };
}

function stateOf(journal: Journal) {
  return {
    owned: Object.fromEntries(journal.owned),
    made: [...journal.madeDirectories],
    owed: journal.owed && [...journal.owed],
  };
}

const EMPTY = { owned: {}, made: [], owed: undefined };

function inodeOf(path: string): number {
  return Deno.statSync(path).ino!;
}

Deno.test("Journal knows after a restart what it knew before", () => {
  using folder = tempFolder();
  const { load, log } = journalIn(folder);
  const journal = load();
  assert.deepEqual(stateOf(journal), EMPTY);
  journal.make("/data/team");
  journal.make("/data/gone");
  journal.own("/data/team/a", OWNER);
  journal.own("/data/b", OWNER);
  journal.own("/data/b", "Secret/x/heir");
  journal.own('/data/"quoted"\n', OWNER);
  journal.drop('/data/"quoted"\n');
  journal.own("/data/Grüße", OWNER);
  journal.unmake("/data/gone");
  journal.owe(["/data/b", "/data/Grüße"]);
  const state = stateOf(journal);
  assert.deepEqual(state, {
    owned: { "/data/team/a": OWNER, "/data/b": "Secret/x/heir", "/data/Grüße": OWNER },
    made: ["/data/team"],
    owed: ["/data/b", "/data/Grüße"],
  });
  assert.deepEqual(stateOf(load()), state);
  assert.deepEqual(log.lines, []);
});

Deno.test("owe() lasts through restarts until paid()", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  load().owe(["/data/a"]);
  load().owe(["/data/b", "/data/a"]);
  assert.deepEqual(stateOf(load()).owed, ["/data/a", "/data/b"]);
  load().paid();
  assert.equal(load().owed, undefined);
  load().owe(["/data/c"]);
  assert.deepEqual(stateOf(load()).owed, ["/data/c"]);
});

Deno.test("Journal writes nothing when it has nothing new to say", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const journal = load();
  journal.drop("/data/a");
  journal.unmake("/data");
  journal.paid();
  journal.owe([]);
  assert.equal(exists(path), false);
  journal.own("/data/a", OWNER);
  journal.make("/data");
  journal.owe(["/data/a"]);
  const before = text(path);
  journal.own("/data/a", OWNER);
  journal.make("/data");
  journal.owe(["/data/a"]);
  journal.tidy();
  assert.equal(text(path), before);
});

Deno.test("Journal is readable by nobody else", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  load().own("/data/a", OWNER);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
});

Deno.test("Journal without a path keeps what it knows in memory", () => {
  const journal = new Journal(undefined, keptLog());
  journal.own("/data/a", OWNER);
  journal.make("/data");
  journal.owe(["/data/a"]);
  journal.tidy();
  assert.deepEqual(stateOf(journal), { owned: { "/data/a": OWNER }, made: ["/data"], owed: ["/data/a"] });
});

Deno.test("own() leaves a stranger's file to the stranger when we crash before we replaced it", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "a stranger's");
  load().own(file, OWNER, inodeOf(file) + 1);
  assert.deepEqual(stateOf(load()), EMPTY);
  Deno.removeSync(file);
  assert.deepEqual(stateOf(load()), EMPTY);
});

Deno.test("own() has a stranger's file ours once we replaced it, also after more changes and restarts", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "a stranger's");
  const ours = { ...EMPTY, owned: { [file]: OWNER } };
  /** Puts another file in the place of the one that is there, as the publisher does. */
  const replace = (record: (inode: number) => void) => {
    Deno.writeTextFileSync(`${file}.new`, "ours");
    record(inodeOf(`${file}.new`));
    Deno.renameSync(`${file}.new`, file);
  };
  const first = load();
  replace((inode) => first.own(file, OWNER, inode));
  assert.deepEqual(stateOf(load()), ours);
  replace(() => first.own(file, OWNER));
  assert.deepEqual(stateOf(load()), ours);
  const second = load();
  replace(() => second.own(file, OWNER));
  assert.deepEqual(stateOf(load()), ours);
});

Deno.test("own() of a stranger's file that was not replaced is forgotten, though its inode may be used again", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const [file, other] = [`${folder.path}/file`, `${folder.path}/other`];
  Deno.writeTextFileSync(file, "a stranger's");
  Deno.writeTextFileSync(other, "a stranger's, too");
  load().own(file, OWNER, inodeOf(other));
  load().tidy();
  Deno.renameSync(other, file);
  assert.deepEqual(stateOf(load()), EMPTY, text(path));
});

/** Records of every kind, with the state after each line. */
function history(folder: string) {
  const { load, path } = journalIn({ path: folder });
  const file = `${folder}/a file`;
  Deno.writeTextFileSync(file, "");
  const journal = load();
  const states: unknown[] = [EMPTY, EMPTY];
  for (
    const act of [
      () => journal.make("/data/ä"),
      () => journal.own("/data/ä/a", OWNER),
      () => journal.own("/data/ä/a", "Secret/x/y"),
      () => journal.own(file, OWNER, inodeOf(file)),
      () => journal.owe(["/data/ä/a", "/data/b"]),
      () => journal.drop("/data/ä/a"),
      () => journal.unmake("/data/ä"),
      () => journal.paid(),
      () => journal.own("/data/🎉", OWNER),
    ]
  ) {
    act();
    states.push(stateOf(journal));
  }
  return { bytes: Deno.readFileSync(path), states };
}

Deno.test("Journal that was cut short at any byte says what its whole lines say, and takes new records", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const { bytes, states } = history(folder.path);
  const ends = [...bytes].flatMap((byte, at) => byte === 10 ? [at] : []);
  assert.equal(ends.length, states.length - 1);
  for (let length = 0; length <= bytes.length; length++) {
    Deno.writeFileSync(path, bytes.subarray(0, length));
    // A line that lacks only its newline is whole
    const expected = states[ends.filter((end) => end <= length).length] as typeof EMPTY;
    const journal = load();
    assert.deepEqual(stateOf(journal), expected, `cut at ${length}`);
    journal.own("/new", OWNER);
    assert.deepEqual(stateOf(load()), { ...expected, owned: { ...expected.owned, "/new": OWNER } }, `cut at ${length}`);
  }
});

Deno.test("Journal that is garbage says nothing, is reported once, and is of use again", () => {
  using folder = tempFolder();
  const { load, path, log } = journalIn(folder);
  for (
    const garbage of [
      "\0\0\0\0",
      "null\n1\n{}\n[]\n[[]]\n",
      '"own"\n',
      '["own"]\n["own",1,"x"]\n["own","/a"]\n["own","/a",1]\n["own","relative","x"]\n["own",["/a"],"x"]\n',
      '["drop"]\n["make"]\n["make",null]\n["owe"]\n["owe","/a"]\n["unknown","/a","x"]\n["journal",2]\n',
      '["own","/a","x"',
      '["own","/a","x"]["own","/b","x"]\n',
      "<html>\r\n</html>\r\n",
      "[".repeat(10_000),
    ]
  ) {
    log.lines.length = 0;
    Deno.writeTextFileSync(path, garbage);
    const journal = load();
    assert.deepEqual(stateOf(journal), EMPTY, garbage);
    assert.equal(log.lines.length, 1, garbage);
    assert.match(log.lines[0]!, /^warn: \d+ of \d+ lines of .* are no records/);
    journal.own("/new", OWNER);
    assert.deepEqual(stateOf(load()), { ...EMPTY, owned: { "/new": OWNER } });
  }
});

Deno.test("Journal keeps what lines between garbage say", () => {
  using folder = tempFolder();
  const { load, write } = journalIn(folder);
  write(
    `["journal",1]\n["own","/a","${OWNER}"]\n["own","/b","${OWNER}\n["own","/c","${OWNER}"]\nxx\n["owe",["/a",1,null]]\n`,
  );
  assert.deepEqual(stateOf(load()), { owned: { "/a": OWNER, "/c": OWNER }, made: [], owed: ["/a"] });
});

Deno.test("Journal with bytes changed at random never throws, and owns nothing that it does not name", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const { bytes } = history(folder.path);
  forSeeds(500, (random) => {
    const broken = bytes.slice();
    for (let count = 1 + Math.floor(random() * 5); count > 0; count--) {
      broken[Math.floor(random() * broken.length)] = pick(random, [0, 10, 34, 91, 93, 255, Math.floor(random() * 256)]);
    }
    Deno.writeFileSync(path, broken);
    const said = text(path);
    for (const owned of load().owned.keys()) {
      assert.ok(said.includes(JSON.stringify(owned)) || said.includes("\\"), owned);
    }
  });
});

Deno.test("Journal that cannot be read says so, and owns nothing", () => {
  using folder = tempFolder();
  const { load, path, log } = journalIn(folder);
  Deno.mkdirSync(path);
  assert.deepEqual(stateOf(load()), EMPTY);
  assert.match(log.lines.join(), /^warn: cannot read /);
  assert.throws(() => load().own("/a", OWNER));
});

Deno.test("own() that cannot be recorded leaves the path to whoever it was", () => {
  using folder = tempFolder();
  const parent = `${folder.path}/a-file`;
  Deno.writeTextFileSync(parent, "");
  const journal = new Journal(`${parent}/journal`, keptLog());
  assert.throws(() => journal.own("/a", OWNER), /a-file/);
  assert.equal(journal.owned.has("/a"), false);
  assert.throws(() => journal.make("/d"), /a-file/);
  assert.equal(journal.madeDirectories.has("/d"), false);
});

Deno.test("own() makes the directory of the journal when it is missing", () => {
  using folder = tempFolder();
  const path = `${folder.path}/missing/too/journal`;
  new Journal(path, keptLog()).own("/a", OWNER);
  assert.deepEqual(stateOf(new Journal(path, keptLog())).owned, { "/a": OWNER });
});

Deno.test("Journal that was removed or replaced while we run is written again", () => {
  using folder = tempFolder();
  const { load, path, write } = journalIn(folder);
  const journal = load();
  journal.own("/a", OWNER);
  Deno.removeSync(path);
  journal.own("/b", OWNER);
  assert.deepEqual(stateOf(load()), stateOf(journal));
  Deno.removeSync(path);
  journal.tidy();
  assert.deepEqual(stateOf(load()), stateOf(journal));
  Deno.removeSync(path);
  write('["journal",1]\n["own","/theirs","x"]\n');
  journal.tidy();
  assert.deepEqual(stateOf(load()), stateOf(journal));
});

Deno.test("Journal that has grown is written anew, by the next record or by tidy(), as short as can be", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const lines = () => text(path).split("\n").length - 1;
  const journal = load();
  journal.own("/kept", OWNER);
  let longest = 0;
  for (let turn = 0; turn < 2000; turn++) {
    journal.own(`/${turn}`, OWNER);
    journal.drop(`/${turn}`);
    longest = Math.max(longest, lines());
  }
  assert.ok(longest > 900 && longest < 1100, `${longest} lines`);
  const state = stateOf(journal);
  assert.deepEqual(stateOf(load()), state);
  for (let turn = 0; lines() < 1002; turn++) {
    journal.own("/kept", `${OWNER}${turn % 2}`);
    journal.own("/kept", OWNER);
  }
  journal.tidy();
  assert.equal(lines(), 2);
  assert.deepEqual(stateOf(load()), state);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["journal"]);
});

diskTest("mounts", "Journal on a disk that fills up in mid record is whole again once there is room", () => {
  for (const recordsMore of [false, true]) {
    using folder = smallDisk(65_536);
    const { load, log, path } = journalIn(folder);
    const names = () => [...Deno.readDirSync(folder.path)].map(({ name }) => name).toSorted();
    const journal = load();
    journal.own("/before", OWNER);
    // Close to the end of a page, so that the next record gets only its beginning into the file
    for (let at = 0; Deno.statSync(path).size < 4070; at++) journal.own(`/${at}${"x".repeat(20)}`, "");
    const size = Deno.statSync(path).size;
    {
      using _ = fill(folder.path);
      assert.throws(() => journal.own(`/during${"x".repeat(100)}`, OWNER), /No space left/);
      assert.ok(Deno.statSync(path).size > size, "nothing of the record was written: the test shows nothing");
      if (recordsMore) {
        assert.throws(() => journal.own("/again", OWNER), /No space left/);
        journal.drop("/before");
        journal.owe(["/before"]);
        journal.tidy();
        assert.ok(load().owned.has("/before"), "a full disk must not cost what was recorded");
      }
      assert.deepEqual(names(), ["filler", "journal"]);
    }
    assert.equal(journal.owned.has("/again"), false);
    journal.own("/after", OWNER);
    log.lines.length = 0;
    assert.deepEqual(stateOf(load()), stateOf(journal));
    assert.deepEqual(log.lines, []);
    assert.deepEqual(names(), ["journal"]);
  }
});
