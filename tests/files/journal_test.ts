import assert from "node:assert/strict";
import { Journal } from "../../lib/files/journal.ts";
import { parentOf } from "../../lib/files/paths.ts";
import { type Stamp, stampOf } from "../../lib/files/stamp.ts";
import { keptLog } from "../support/api_gateway.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { diskTest, exists, fill, smallDisk, tempFolder, text } from "../support/disk.ts";
import { forSeeds, pick } from "../support/random.ts";

const OWNER = "ConfigMap/default/a";
const STAMP = { ino: 4711, mtime: 1_732_556_751_000, size: 2048 };
const OTHER_STAMP = { ...STAMP, ino: 4712 };

/** A folder with a record in it that can be read again, as after a restart. */
function journalIn(folder: { path: string }, stateFile?: string) {
  const state = `${folder.path}/..k8s-sidecar-id/state`;
  const log = keptLog();
  const path = stateFile ?? `${state}/record`;
  return {
    state,
    path,
    log,
    load: () => new Journal({ folder: folder.path, id: "id", stateFile, log }),
    write(content: string | Uint8Array) {
      Deno.mkdirSync(parentOf(path), { recursive: true });
      if (typeof content === "string") Deno.writeTextFileSync(path, content);
      else Deno.writeFileSync(path, content);
    },
  };
}

/** Paths with their owners, and what else is recorded; stamps are looked at where a test is about them. */
function stateOf(journal: Journal) {
  return {
    owned: ownersIn(journal),
    made: [...journal.madeDirectories],
    pending: journal.pending && [...journal.pending],
  };
}

function ownersIn(journal: Journal): Record<string, string> {
  return Object.fromEntries([...journal.files()].map(([path, { owner }]) => [path, owner]));
}

const EMPTY = { owned: {}, made: [], pending: undefined };

function stampAt(path: string): Stamp {
  return stampOf(Deno.statSync(path));
}

Deno.test("Journal knows after a restart what it knew before", () => {
  using folder = tempFolder();
  const { load, log } = journalIn(folder);
  const journal = load();
  assert.deepEqual(stateOf(journal), EMPTY);
  journal.recordDirectory("/data/team");
  journal.recordDirectory("/data/gone");
  journal.own("/data/team/a", OWNER, STAMP);
  journal.own("/data/b", OWNER, STAMP);
  journal.own("/data/b", "Secret/x/heir", OTHER_STAMP);
  journal.own('/data/"quoted"\n', OWNER, STAMP);
  journal.drop('/data/"quoted"\n');
  journal.own("/data/Grüße", OWNER, STAMP);
  journal.forgetDirectory("/data/gone");
  journal.addPending(["/data/b", "/data/Grüße"]);
  const state = stateOf(journal);
  assert.deepEqual(state, {
    owned: { "/data/team/a": OWNER, "/data/b": "Secret/x/heir", "/data/Grüße": OWNER },
    made: ["/data/team"],
    pending: ["/data/b", "/data/Grüße"],
  });
  const later = load();
  assert.deepEqual(stateOf(later), state);
  assert.deepEqual({ ...later.fileAt("/data/b") }, { owner: "Secret/x/heir", hash: undefined, ...OTHER_STAMP });
  assert.equal(later.ownerOf("/data/b"), "Secret/x/heir");
  assert.equal(later.ownerOf("/data/gone"), undefined);
  assert.deepEqual(log.lines, []);
});

Deno.test("addPending() lasts through restarts until delivered()", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  load().addPending(["/data/a"]);
  load().addPending(["/data/b", "/data/a"]);
  assert.deepEqual(stateOf(load()).pending, ["/data/a", "/data/b"]);
  load().delivered(["/data/a", "/data/other"]);
  assert.deepEqual(stateOf(load()).pending, ["/data/b"]);
  load().delivered(["/data/b"]);
  assert.equal(load().pending, undefined);
  load().addPending(["/data/c"]);
  assert.deepEqual(stateOf(load()).pending, ["/data/c"]);
});

Deno.test("delivered() leaves what was recorded after the application was told", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const journal = load();
  journal.addPending(["/data/a", "/data/b"]);
  journal.addPending(["/data/c"]);
  journal.delivered(["/data/a", "/data/b", "/data/unknown"]);
  assert.deepEqual(stateOf(journal).pending, ["/data/c"]);
  assert.deepEqual(stateOf(load()).pending, ["/data/c"]);
  const before = text(path);
  journal.delivered(["/data/unknown"]);
  assert.equal(text(path), before);
  journal.delivered(["/data/c"]);
  assert.deepEqual([journal.pending, load().pending], [undefined, undefined]);
});

Deno.test("recordFailure() lasts through restarts and a record written anew", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const failure = { type: "refused", attempts: 2, endedAt: 1_764_000_000_000, delay: 300, fingerprint: "ab:cd" };
  load().recordFailure(failure);
  assert.deepEqual(load().failure, failure);
  const journal = load();
  Deno.removeSync(path);
  journal.tidy();
  assert.deepEqual(load().failure, failure);
  load().recordFailure(undefined);
  assert.equal(load().failure, undefined);
});

Deno.test("Journal writes nothing when it has nothing new to say", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const journal = load();
  journal.drop("/data/a");
  journal.forgetDirectory("/data");
  journal.delivered(["/data/a"]);
  journal.addPending([]);
  assert.equal(exists(path), false);
  journal.own("/data/a", OWNER, STAMP);
  journal.recordDirectory("/data");
  journal.addPending(["/data/a"]);
  const before = text(path);
  journal.own("/data/a", OWNER, { ...STAMP });
  journal.recordDirectory("/data");
  journal.addPending(["/data/a"]);
  journal.tidy();
  assert.equal(text(path), before);
});

Deno.test("Journal's record and directories are readable whatever the umask", () => {
  for (const umask of [0o000, 0o077]) {
    using folder = tempFolder();
    const { load, path, state } = journalIn(folder);
    const before = Deno.umask(umask);
    try {
      load().own("/data/a", OWNER, STAMP);
    } finally {
      Deno.umask(before);
    }
    const modes = [path, state, parentOf(state)].map((path) => (Deno.statSync(path).mode! & 0o777).toString(8));
    assert.deepEqual(modes, ["644", "755", "755"]);
  }
});

Deno.test("Journal keeps what it knows in memory when stateFile is none", () => {
  using folder = tempFolder();
  const journal = journalIn(folder, "none").load();
  journal.own("/data/a", OWNER, STAMP);
  journal.recordDirectory("/data");
  journal.addPending(["/data/a"]);
  journal.tidy();
  assert.equal(journal.path, undefined);
  assert.equal(journal.isWritable, true);
  assert.deepEqual(stateOf(journal), { owned: { "/data/a": OWNER }, made: ["/data"], pending: ["/data/a"] });
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("own() of a take-over counts only if it happened", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "a stranger's");
  load().own(file, OWNER, { ...STAMP, ino: stampAt(file).ino + 1 }, "taken over");
  assert.deepEqual(stateOf(load()), EMPTY);
  Deno.removeSync(file);
  assert.deepEqual(stateOf(load()), EMPTY);
});

Deno.test("own() of a take-over that happened lasts through changes and restarts", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "a stranger's");
  const ours = { ...EMPTY, owned: { [file]: OWNER } };
  /** Puts another file in the place of the one that is there, as the publisher does. */
  const replace = (record: (stamp: Stamp) => void) => {
    Deno.writeTextFileSync(`${file}.new`, "ours");
    record(stampAt(`${file}.new`));
    Deno.renameSync(`${file}.new`, file);
  };
  const first = load();
  replace((stamp) => first.own(file, OWNER, stamp, "taken over"));
  assert.deepEqual(stateOf(load()), ours);
  replace((stamp) => first.own(file, OWNER, stamp));
  assert.deepEqual(stateOf(load()), ours);
  const second = load();
  replace((stamp) => second.own(file, OWNER, stamp));
  assert.deepEqual(stateOf(load()), ours);
});

Deno.test("own() after a take-over makes the path ours whatever its inode", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const journal = load();
  journal.own("/data/a", OWNER, STAMP, "taken over");
  journal.own("/data/a", OWNER, STAMP);
  assert.deepEqual(ownersIn(load()), { "/data/a": OWNER });
});

Deno.test("own() of a take-over stays conditional in a rewritten record", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "a stranger's");
  const journal = load();
  journal.own(file, OWNER, { ...STAMP, ino: stampAt(file).ino + 1 }, "taken over");
  Deno.removeSync(path);
  journal.addPending([file]);
  assert.deepEqual(stateOf(load()), { ...EMPTY, pending: [file] });
});

Deno.test("own() of a failed take-over is forgotten, whatever gets its inode", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const [file, other] = [`${folder.path}/file`, `${folder.path}/other`];
  Deno.writeTextFileSync(file, "a stranger's");
  Deno.writeTextFileSync(other, "a stranger's, too");
  load().own(file, OWNER, stampAt(other), "taken over");
  load().tidy();
  Deno.renameSync(other, file);
  assert.deepEqual(stateOf(load()), EMPTY, text(path));
});

Deno.test("own() does not lose our files when inodes do not last", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "ours");
  load().own(file, OWNER, { ...stampAt(file), ino: 1 });
  assert.deepEqual(ownersIn(load()), { [file]: OWNER });
});

Deno.test("disown() restores what was known before own()", () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const journal = load();
  journal.own("/data/a", OWNER, STAMP);
  const before = journal.fileAt("/data/a");
  journal.own("/data/a", "Secret/x/heir", OTHER_STAMP);
  journal.disown("/data/a", before);
  journal.own("/data/b", OWNER, STAMP, "taken over");
  journal.disown("/data/b", undefined);
  for (const it of [journal, load()]) {
    assert.deepEqual(ownersIn(it), { "/data/a": OWNER });
    assert.equal(it.fileAt("/data/a")?.ino, STAMP.ino);
  }
});

/** The bytes of a record with entries of every kind, and the state after each line. */
function history(folder: string) {
  const { load, path } = journalIn({ path: folder });
  const file = `${folder}/a file`;
  Deno.writeTextFileSync(file, "");
  const journal = load();
  const states: unknown[] = [EMPTY, EMPTY];
  for (
    const act of [
      () => journal.recordDirectory("/data/ä"),
      () => journal.own("/data/ä/a", OWNER, STAMP),
      () => journal.own("/data/ä/a", "Secret/x/y", OTHER_STAMP),
      () => journal.own(file, OWNER, stampAt(file), "taken over"),
      () => journal.addPending(["/data/ä/a", "/data/b"]),
      () => journal.drop("/data/ä/a"),
      () => journal.forgetDirectory("/data/ä"),
      () => journal.delivered(["/data/b"]),
      () => journal.delivered(["/data/ä/a"]),
      () => journal.own("/data/🎉", OWNER, STAMP),
    ]
  ) {
    act();
    states.push(stateOf(journal));
  }
  return { bytes: Deno.readFileSync(path), states };
}

Deno.test("Journal that was cut short says what its whole lines say", () => {
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
    journal.own("/new", OWNER, STAMP);
    assert.deepEqual(stateOf(load()), { ...expected, owned: { ...expected.owned, "/new": OWNER } }, `cut at ${length}`);
  }
});

Deno.test("Journal that is garbage is reported once and of use again", () => {
  using folder = tempFolder();
  const { load, write, log } = journalIn(folder);
  for (
    const garbage of [
      "\0\0\0\0",
      "null\n1\n{}\n[]\n[[]]\n",
      '"own"\n',
      '["own"]\n["own",1,"x",1,2,3]\n["own","/a"]\n["own","/a",1,1,2,3]\n["own","relative","x",1,2,3]\n["own",["/a"],"x",1,2,3]\n',
      '["own","/a","x"]\n["own","/a","x",1,2]\n["own","/a","x",1,2,"3"]\n["own","/a","x",1,2,3,4]\n["own","/a","x",1,2,3,"taken over",5]\n',
      '["drop"]\n["make"]\n["make",null]\n["pending"]\n["pending","/a"]\n["unknown","/a","x"]\n["journal",1]\n',
      '["delivered","/a"]\n["delivered",[1]]\n["failure"]\n["failure",{}]\n["failure",{"type":"refused","attempts":1}]\n',
      '["own","/a","x",1,2,3',
      '["own","/a","x",1,2,3]["own","/b","x",1,2,3]\n',
      "<html>\r\n</html>\r\n",
      "[".repeat(10_000),
    ]
  ) {
    log.lines.length = 0;
    write(garbage);
    const journal = load();
    assert.deepEqual(stateOf(journal), EMPTY, garbage);
    assert.equal(log.lines.length, 1, garbage);
    assert.match(log.lines[0]!, /^warn: \d+ of \d+ lines of the record .* are not valid/);
    journal.own("/new", OWNER, STAMP);
    assert.deepEqual(stateOf(load()), { ...EMPTY, owned: { "/new": OWNER } });
  }
});

Deno.test("Journal of an earlier format is one warning and owns nothing", () => {
  using folder = tempFolder();
  const { load, write, log } = journalIn(folder);
  write('["journal",1]\n["own","/a","x"]\n["own","/b","x",4711]\n["owe",["/a"]]\n["paid"]\n');
  assert.deepEqual(stateOf(load()), EMPTY);
  assert.equal(log.lines.length, 1);
});

Deno.test("Journal replaces a file in the place of its directory", () => {
  using folder = tempFolder();
  const { load, log, path } = journalIn(folder);
  Deno.writeTextFileSync(`${folder.path}/..k8s-sidecar-id`, '["journal",1]\n');
  const journal = load();
  assert.match(log.lines.join(), /^warn: cannot read the record /);
  journal.own("/new", OWNER, STAMP);
  assert.match(text(path), /new/);
});

Deno.test("Journal owns no path that cannot be", () => {
  using folder = tempFolder();
  const { load, write } = journalIn(folder);
  write(`${["a\0b", "/a\0b", "a"].map((path) => JSON.stringify(["own", path, OWNER, 1, 2, 3])).join("\n")}\n`);
  assert.deepEqual(stateOf(load()), EMPTY);
});

Deno.test("Journal keeps what lines between garbage say", () => {
  using folder = tempFolder();
  const { load, write } = journalIn(folder);
  write(
    `["journal",2]\n["own","/a","${OWNER}",1,2,3]\n["own","/b","${OWNER}\n["own","/c","${OWNER}",1,2,3]\nxx\n["pending",["/a",1,null]]\n`,
  );
  assert.deepEqual(stateOf(load()), { owned: { "/a": OWNER, "/c": OWNER }, made: [], pending: ["/a"] });
});

Deno.test("Journal with bytes changed at random owns nothing unnamed", () => {
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
    for (const [owned] of load().files()) {
      assert.ok(said.includes(JSON.stringify(owned)) || said.includes("\\"), owned);
    }
  });
});

Deno.test("Journal that cannot be read says so and owns nothing", () => {
  using folder = tempFolder();
  const { load, path, log } = journalIn(folder);
  Deno.mkdirSync(path, { recursive: true });
  assert.deepEqual(stateOf(load()), EMPTY);
  assert.match(log.lines.join(), /^warn: cannot read the record /);
});

Deno.test("Journal moves a directory out of the record's place, whatever is in it", () => {
  using folder = tempFolder();
  const { load, path, state } = journalIn(folder);
  for (const content of ["first", "second", undefined]) {
    Deno.mkdirSync(path, { recursive: true });
    if (content !== undefined) Deno.writeTextFileSync(`${path}/theirs`, content);
    load().own("/a", OWNER, STAMP);
    assert.deepEqual(ownersIn(load()), { "/a": OWNER });
    Deno.removeSync(path);
  }
  const moved = [...Deno.readDirSync(state)].map(({ name }) => name).sort();
  assert.deepEqual(moved, ["replaced-0", "replaced-1", "replaced-2"]);
  assert.equal(text(`${state}/replaced-1/theirs`), "second");
});

Deno.test("Journal leaves a directory in the place of STATE_FILE", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder, `${folder.path}/state`);
  Deno.mkdirSync(path);
  assert.throws(() => load().own("/a", OWNER, STAMP));
  assert.ok(Deno.lstatSync(path).isDirectory);
});

Deno.test("Journal reads no symlink and no file that is too large", () => {
  using folder = tempFolder();
  const { load, write, path, log } = journalIn(folder);
  write('["own","/a","x",1,2,3]\n');
  Deno.renameSync(path, `${path}-elsewhere`);
  Deno.symlinkSync(`${path}-elsewhere`, path);
  const journal = load();
  assert.deepEqual(stateOf(journal), EMPTY);
  journal.own("/b", OWNER, STAMP);
  assert.ok(Deno.lstatSync(path).isFile);
  assert.doesNotMatch(text(`${path}-elsewhere`), /\/b/);
  Deno.truncateSync(path, 600 * 2 ** 20);
  assert.deepEqual(stateOf(load()), EMPTY);
  assert.equal(log.lines.length, 2, log.lines.join());
});

Deno.test("Journal neither reads nor writes the record of others behind a symlink", () => {
  using folder = tempFolder();
  using others = tempFolder();
  const theirs = '["journal",2]\n["own","/theirs","x",1,2,3]\n';
  Deno.writeTextFileSync(`${others.path}/record`, theirs);
  const { load, state, path, log } = journalIn(folder);
  Deno.mkdirSync(parentOf(state));
  Deno.symlinkSync(others.path, state);
  const journal = load();
  assert.deepEqual(stateOf(journal), EMPTY);
  assert.equal(log.lines.length, 1, log.lines.join());
  journal.own("/b", OWNER, STAMP);
  assert.equal(text(`${others.path}/record`), theirs);
  assert.match(text(path) ?? "", /\/b/);
});

Deno.test("tidy() replaces a symlink that came in the record's place", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const victim = `${folder.path}/victim`;
  Deno.writeTextFileSync(victim, "theirs");
  const journal = load();
  journal.own("/a", OWNER, STAMP);
  Deno.removeSync(path);
  Deno.symlinkSync(victim, path);
  journal.tidy();
  assert.equal(text(victim), "theirs");
  assert.deepEqual(ownersIn(load()), { "/a": OWNER });
});

Deno.test("own() and make() that cannot be recorded change nothing", () => {
  using folder = tempFolder();
  const parent = `${folder.path}/a-file`;
  Deno.writeTextFileSync(parent, "");
  const journal = journalIn(folder, `${parent}/journal`).load();
  assert.throws(() => journal.own("/a", OWNER, STAMP), /a-file/);
  assert.equal(journal.ownerOf("/a"), undefined);
  assert.throws(() => journal.recordDirectory("/d"), /a-file/);
  assert.equal(journal.madeDirectories.has("/d"), false);
  assert.equal(journal.isWritable, false);
});

Deno.test("Journal in STATE_FILE leaves nothing else beside it", () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder, `${folder.path}/missing/too/journal`);
  load().own("/a", OWNER, STAMP);
  assert.deepEqual(ownersIn(load()), { "/a": OWNER });
  assert.deepEqual([...Deno.readDirSync(parentOf(path))].map(({ name }) => name), ["journal"]);
  assert.deepEqual([...Deno.readDirSync(`${folder.path}/..k8s-sidecar-id/state`)], []);
});

diskTest("mounts", "Journal in STATE_FILE on another disk leaves nothing beside it", () => {
  using folder = tempFolder();
  using disk = smallDisk(65_536);
  const leftover = `${disk.path}/..k8s-sidecar-id/state/temporary-7`;
  Deno.mkdirSync(parentOf(leftover), { recursive: true });
  Deno.writeTextFileSync(leftover, "half");
  const { load, path } = journalIn(folder, `${disk.path}/journal`);
  const names = () => [...Deno.readDirSync(disk.path)].map(({ name }) => name);
  const journal = load();
  assert.deepEqual(names(), []);
  journal.own("/a", OWNER, STAMP);
  Deno.removeSync(path);
  journal.tidy();
  assert.deepEqual(ownersIn(load()), { "/a": OWNER });
  assert.deepEqual(names(), ["journal"]);
});

Deno.test("Journal that was removed or replaced is written again", () => {
  using folder = tempFolder();
  const { load, path, write } = journalIn(folder);
  const journal = load();
  journal.own("/a", OWNER, STAMP);
  Deno.removeSync(path);
  journal.own("/b", OWNER, STAMP);
  assert.deepEqual(stateOf(load()), stateOf(journal));
  Deno.removeSync(path);
  journal.tidy();
  assert.deepEqual(stateOf(load()), stateOf(journal));
  Deno.removeSync(path);
  write('["journal",2]\n["own","/theirs","x",1,2,3]\n');
  journal.tidy();
  assert.deepEqual(stateOf(load()), stateOf(journal));
});

Deno.test("Journal that has grown is written anew as short as possible", () => {
  using folder = tempFolder();
  const { load, path, state } = journalIn(folder);
  const lines = () => text(path).split("\n").length - 1;
  const journal = load();
  journal.own("/kept", OWNER, STAMP);
  let longest = 0;
  for (let round = 0; round < 2000; round++) {
    journal.own(`/${round}`, OWNER, STAMP);
    journal.drop(`/${round}`);
    longest = Math.max(longest, lines());
  }
  assert.ok(longest > 900 && longest < 1100, `${longest} lines`);
  const known = stateOf(journal);
  assert.deepEqual(stateOf(load()), known);
  for (let round = 0; lines() < 1002; round++) {
    journal.own("/kept", `${OWNER}${round % 2}`, STAMP);
    journal.own("/kept", OWNER, STAMP);
  }
  journal.tidy();
  assert.equal(lines(), 2);
  assert.deepEqual(stateOf(load()), known);
  assert.deepEqual([...Deno.readDirSync(state)].map(({ name }) => name), ["record"]);
});

diskTest("mounts", "Journal on a disk that fills up is whole again afterwards", () => {
  for (const recordsMore of [false, true]) {
    using folder = smallDisk(65_536);
    const { load, log, path, state } = journalIn(folder);
    const names = () => [...Deno.readDirSync(state)].map(({ name }) => name).toSorted();
    const journal = load();
    journal.own("/before", OWNER, STAMP);
    // Close to the end of a page, so that the next record gets only its beginning into the file
    for (let at = 0; Deno.statSync(path).size < 4070; at++) journal.own(`/${at}${"x".repeat(20)}`, "", STAMP);
    const size = Deno.statSync(path).size;
    {
      using _ = fill(folder.path);
      assert.throws(() => journal.own(`/during${"x".repeat(100)}`, OWNER, STAMP), /No space left/);
      assert.ok(Deno.statSync(path).size > size, "nothing of the record was written: the test shows nothing");
      if (recordsMore) {
        assert.throws(() => journal.own("/again", OWNER, STAMP), /No space left/);
        journal.drop("/before");
        journal.addPending(["/before"]);
        journal.tidy();
        assert.ok(load().ownerOf("/before") !== undefined, "a full disk must not cost what was recorded");
      }
      assert.deepEqual(names(), ["record"]);
    }
    assert.equal(journal.ownerOf("/again") !== undefined, false);
    journal.own("/after", OWNER, STAMP);
    log.lines.length = 0;
    assert.deepEqual(stateOf(load()), stateOf(journal));
    assert.deepEqual(log.lines, []);
    assert.deepEqual(names(), ["record"]);
  }
});

Deno.test("own() writes to nothing that somebody put in the record's place, and does not wait for it", async () => {
  using folder = tempFolder();
  const { load, path } = journalIn(folder);
  const journal = load();
  const outside = `${folder.path}/outside`;
  Deno.writeTextFileSync(outside, "theirs");
  const tricks = [() => Deno.symlinkSync(outside, path), () => Deno.linkSync(outside, path)];
  const fifo = await new Deno.Command("mkfifo", { args: [`${folder.path}/fifo`] }).output();
  if (fifo.success) tricks.push(() => Deno.renameSync(`${folder.path}/fifo`, path));
  for (const [index, trick] of tricks.entries()) {
    journal.own(`/data/before-${index}`, OWNER, STAMP);
    Deno.removeSync(path);
    trick();
    journal.own(`/data/after-${index}`, OWNER, STAMP);
    assert.equal(text(outside), "theirs");
    assert.deepEqual(ownersIn(load()), ownersIn(journal));
  }
});

Deno.test("mayBeOurs() of a path that only the record names asks for the file that was written", () => {
  using folder = tempFolder();
  const { load, write } = journalIn(folder);
  const path = `${folder.path}/foreign.db`;
  Deno.writeTextFileSync(path, "theirs");
  const present = stampAt(path);
  const entry = (...stamp: number[]) => `${JSON.stringify(["own", path, OWNER, ...stamp])}\n`;
  const mayBeOurs = (record: string) => {
    write(`["journal",2]\n${record}`);
    return load().mayBeOurs(path, present);
  };
  const { ino, mtime, size } = present;
  assert.equal(mayBeOurs(entry(ino, mtime, size)), true);
  assert.equal(mayBeOurs(entry(ino + 1, mtime, size)), false);
  assert.equal(mayBeOurs(entry(ino, mtime + 1, size)), false);
  assert.equal(mayBeOurs(entry(ino, mtime, size + 1)), false);
  // A crash while it was rewritten in place
  assert.equal(mayBeOurs(entry(ino, 0, -1)), true);
  // A crash between the entry and the rename
  assert.equal(mayBeOurs(entry(ino, mtime, size) + entry(ino + 1, mtime + 1, 5)), true);
  const journal = load();
  journal.own(path, OWNER, { ...present, size: 0 });
  assert.equal(journal.mayBeOurs(path, present), true);
});

Deno.test("readRest() reads a long record in slices, and all of it", async () => {
  using folder = tempFolder();
  const { load, write, log } = journalIn(folder);
  const own = (at: number) => `${JSON.stringify(["own", `/data/${at}`, OWNER, at, 2, 3])}\n`;
  write(`["journal",2]\n${Array.from({ length: 30_000 }, (_, at) => own(at)).join("")}["pending",["/data/7"]]\n`);
  const journal = load();
  let pauses = 0;
  // Time that passes whenever somebody looks
  let now = 0;
  await journal.readRest({ now: () => now += 0.01, sleep: () => Promise.resolve(void pauses++) });
  assert.ok(pauses > 10, `${pauses} pauses`);
  assert.equal([...journal.files()].length, 30_000);
  assert.deepEqual([...journal.pending ?? []], ["/data/7"]);
  assert.equal(journal.mayBeOurs("/data/29999", { ino: 1, mtime: 2, size: 3 }), false);
  assert.deepEqual(log.lines, []);
});

for (
  const [what, line, count] of [
    ["lines", "[]\n", 300_000],
    ["empty lines", "\n", 300_000],
    ["files", '["own","/a","x",1,2,3]\n', 300_000],
    ["paths in its lines", `["pending",[${'"/a",'.repeat(10_000)}"/b"]]\n`, 30],
    ["bytes in a line", "x", 300_000],
  ] as const
) {
  Deno.test(`Journal with more ${what} than any real one is lost, which is told once`, async () => {
    using folder = tempFolder();
    const { load, write, log } = journalIn(folder);
    write(`["journal",2]\n["own","/first","x",1,2,3]\n["make","/made"]\n["pending",["/c"]]\n${line.repeat(count)}`);
    const journal = load();
    await journal.readRest(new FakeClock());
    assert.deepEqual(stateOf(journal), EMPTY);
    assert.equal(log.lines.length, 1, log.lines.join());
    assert.match(log.lines[0]!, /^warn: cannot read the record .*: files that only it names/);
    journal.own("/new", OWNER, STAMP);
    assert.deepEqual(stateOf(load()), { ...EMPTY, owned: { "/new": OWNER } });
  });
}

Deno.test("addPending() and delivered() of many paths can be read again", async () => {
  using folder = tempFolder();
  const { load } = journalIn(folder);
  const paths = Array.from({ length: 5000 }, (_, at) => `/data/${at}/${"\u0001".repeat(100)}`);
  const loadAll = async () => {
    const journal = load();
    await journal.readRest(new FakeClock());
    return journal;
  };
  load().addPending(paths);
  const journal = await loadAll();
  assert.deepEqual([...journal.pending ?? []], paths);
  journal.delivered(paths.slice(1));
  assert.deepEqual([...(await loadAll()).pending ?? []], paths.slice(0, 1));
  journal.addPending(paths);
  journal.recordFailure(undefined);
  assert.deepEqual([...(await loadAll()).pending ?? []].toSorted(), paths.toSorted());
});

Deno.test("A number that JSON cannot write again makes a line invalid, so that the record stays readable", () => {
  using folder = tempFolder();
  const { load, write, log } = journalIn(folder);
  write(`["journal",2]\n["own","/data/a","ConfigMap/default/a",4711,1e999,2048]\n`);
  const journal = load();
  assert.match(log.lines[0]!, /^warn: 1 of 2 lines of the record .* are not valid/);
  journal.recordDirectory("/data/d");
  log.lines.length = 0;
  load();
  assert.deepEqual(log.lines, []);
});
