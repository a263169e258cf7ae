/** What a neighbour may put in the record's place while the sidecar is down: it costs nobody a file, and no start. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Journal } from "../../lib/files/journal.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { stampOf } from "../../lib/files/stamp.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { keptLog } from "../support/api_gateway.ts";
import { removeFolder, tempFolder, text } from "../support/disk.ts";
import { SEED } from "../support/fault_story.ts";

const FACTOR = Number(Deno.env.get("FUZZ_FACTOR") ?? 1);

/** What a start may take with the worst record, in ms; it takes less than 2 s on a slow machine. */
const MAX_START = 10_000;

const OWNERS = ["ConfigMap/ns/a", "Secret/ns/b"];
const WANTED = ["a", "b", "sub/c"];

/** The folder of a sidecar, files of others in it and outside of it, and the record. */
class Neighbourhood implements Disposable {
  readonly root = tempFolder().path;
  readonly folder = `${this.root}/folder`;
  readonly state = `${this.folder}/..k8s-sidecar-id/state`;
  readonly record = `${this.state}/record`;
  readonly foreign = [
    `${this.root}/outside`,
    `${this.root}/dir/inner`,
    `${this.folder}/theirs`,
    `${this.folder}/sub/x`,
  ];

  constructor() {
    for (const directory of ["folder/sub", "dir"]) Deno.mkdirSync(`${this.root}/${directory}`, { recursive: true });
    for (const path of this.foreign) Deno.writeTextFileSync(path, `their ${path}`);
  }

  /** Starts, wants all files with a new content, lets go of everything else, and ends. */
  async run(content: string): Promise<{ warnings: string[]; ms: number }> {
    const log = keptLog();
    const startedAt = performance.now();
    const journal = new Journal({ folder: this.folder, id: "id", log });
    await journal.readRest(systemClock);
    const ms = performance.now() - startedAt;
    const publisher = new Publisher({
      ...{
        folder: this.folder,
        allowedFolders: [],
        mode: 0o644,
        atomicWrites: true,
        journal,
        configFiles: [],
        id: "id",
      },
      beforeChange: (path) => journal.addPending([path]),
      log,
    });
    for (const [index, name] of WANTED.entries()) {
      publisher.publish(`${this.folder}/${name}`, new TextEncoder().encode(content), OWNERS[index % 2]!);
    }
    const wanted = new Set(WANTED.map((name) => `${this.folder}/${name}`));
    for (const [path] of journal.files()) if (!wanted.has(path)) publisher.remove(path);
    journal.delivered([...journal.pending ?? []]);
    journal.tidy();
    assert.deepEqual([...journal.files()].map(([path]) => path).sort(), [...wanted].sort());
    return { warnings: log.lines.filter((line) => line.startsWith("warn: ")), ms };
  }

  assertWell(content: string): void {
    for (const name of WANTED) assert.equal(text(`${this.folder}/${name}`), content);
    for (const path of this.foreign) assert.equal(text(path), `their ${path}`);
    assert.ok(Deno.lstatSync(this.record).isFile);
  }

  [Symbol.dispose](): void {
    removeFolder(this.root);
  }
}

/** Does something to the record, and tells a reader of a failure what. */
interface Move {
  name: string;
  make(it: Neighbourhood): void;
}

/** Has a file with this content in the record's place. */
function holding(name: string, content: (it: Neighbourhood) => string | Uint8Array): Move {
  return {
    name,
    make(it) {
      const bytes = content(it);
      Deno.removeSync(it.record, { recursive: true });
      if (typeof bytes === "string") Deno.writeTextFileSync(it.record, bytes);
      else Deno.writeFileSync(it.record, bytes);
    },
  };
}

/** Has something else in the record's place. */
function instead(name: string, make: (it: Neighbourhood) => void): Move {
  return {
    name,
    make(it) {
      Deno.removeSync(it.record, { recursive: true });
      make(it);
    },
  };
}

function makeFifo(path: string): void {
  assert.ok(new Deno.Command("mkfifo", { args: [path] }).outputSync().success, "mkfifo failed");
}

const value = fc.oneof(
  fc.constantFrom(null, 1, -1, 1e300, "", "/", "//", "..", "/a", "relative", "taken over", "rewritten", {}, [], [[]]),
  fc.string({ unit: "binary" }),
  fc.constantFrom("own", "drop", "make", "unmake", "pending", "delivered", "failure", "journal"),
);

const wrongTypes = fc.array(fc.array(value, { maxLength: 8 }), { maxLength: 20 }).map((lines) =>
  holding(
    "lines of wrong types",
    () => `["journal",2]\n${lines.map((line) => `${JSON.stringify(line)}\n`).join("")}`,
  )
);

const randomBytes = fc.uint8Array({ maxLength: 5000 }).map((bytes) => holding("random bytes", () => bytes));

/** The record as it is, with some bytes cut off, changed or repeated. */
const damaged = fc.record({
  cut: fc.nat(),
  changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
  times: fc.integer({ min: 1, max: 50 }),
}).map(({ cut, changes, times }) =>
  holding("the record, damaged", (it) => {
    const record = Deno.readFileSync(it.record);
    for (const [place, byte] of changes) record[place % record.length] = byte;
    const part = record.subarray(0, cut % (record.length + 1));
    return Uint8Array.from(Array.from({ length: times }, () => [...part]).flat());
  })
);

/** Files of others, with their true stamps or wrong ones: outside, or in the folder. */
const forged = fc.array(
  fc.record({
    place: fc.nat(),
    path: fc.option(fc.constantFrom("/etc/passwd", "/", "/proc/self/mem", "/dev/null", "/../x", "/a/../../b", "/a\0b")),
    detour: fc.constantFrom("", "/..", "/.", "//"),
    off: fc.constantFrom(0, 1),
    condition: fc.constantFrom(undefined, "taken over", "rewritten"),
    verb: fc.constantFrom("own", "make", "pending"),
  }),
  { maxLength: 10 },
).map((entries) =>
  holding("forged entries", (it) => {
    const lines = entries.map(({ place, path, detour, off, condition, verb }) => {
      const target = it.foreign[place % it.foreign.length]!;
      const isInside = target.startsWith(`${it.folder}/`);
      const named = path ?? (isInside || detour === "" ? target : target.replace(/\/([^/]*)$/, `/x${detour}/$1`));
      if (verb !== "own") return [verb, verb === "pending" ? [named] : named];
      const { ino, mtime, size } = stampOf(Deno.lstatSync(target));
      // What is in the folder may be removed by its true stamp: SECURITY.md says so
      const wrong = isInside ? 1 : off;
      const stamp = [ino + wrong, mtime + wrong, size + wrong];
      return ["own", named, OWNERS[0], ...stamp, ...condition === "taken over" ? [condition] : []];
    });
    return `["journal",2]\n${lines.map((line) => `${JSON.stringify(line)}\n`).join("")}`;
  })
);

/** Up to some megabytes of one line, or of nothing but it. */
const long = fc.record({
  line: fc.constantFrom(
    '["pending",["/x"]]\n',
    '["own","/a","x",1,2,3]\n',
    '["make","/m"]\n',
    "[\n",
    "\n",
    "x",
    "[",
    "\0",
  ),
  megabytes: fc.constantFrom(0.001, 0.3, 5, 30),
}).map(({ line, megabytes }) =>
  holding(`${megabytes} MB of ${JSON.stringify(line)}`, () => line.repeat(megabytes * 1e6 / line.length))
);

const impostor: fc.Arbitrary<Move> = fc.constantFrom(
  instead("nothing", () => {}),
  instead("a FIFO", ({ record }) => makeFifo(record)),
  instead("a directory", ({ record }) => Deno.mkdirSync(record)),
  instead("a symlink to a file of others", ({ record, foreign }) => Deno.symlinkSync(foreign[0]!, record)),
  instead("a hard link to a file of others", ({ record, foreign }) => Deno.linkSync(foreign[0]!, record)),
  instead("a symlink to nowhere", ({ record }) => Deno.symlinkSync("/nowhere/at/all", record)),
  instead("a symlink to /dev/zero", ({ record }) => Deno.symlinkSync("/dev/zero", record)),
  instead("a symlink to a FIFO", ({ record, root }) => {
    makeFifo(`${root}/fifo-${crypto.randomUUID()}`);
    Deno.symlinkSync([...Deno.readDirSync(root)].find(({ name }) => name.startsWith("fifo"))!.name, record);
  }),
  instead("a sparse file of 600 MB", ({ record }) => {
    Deno.writeTextFileSync(record, "");
    Deno.truncateSync(record, 600 * 2 ** 20);
  }),
  instead("a sparse file of 20 MB", ({ record }) => {
    Deno.writeTextFileSync(record, "");
    Deno.truncateSync(record, 20 * 2 ** 20);
  }),
  instead("a symlink for its directory", ({ state, root }) => {
    Deno.removeSync(state, { recursive: true });
    Deno.symlinkSync(`${root}/dir`, state);
  }),
  instead("a file for its directory", ({ state }) => {
    Deno.removeSync(state, { recursive: true });
    Deno.writeTextFileSync(state, "");
  }),
);

const move = fc.oneof(
  { arbitrary: randomBytes, weight: 3 },
  { arbitrary: damaged, weight: 4 },
  { arbitrary: wrongTypes, weight: 3 },
  { arbitrary: forged, weight: 4 },
  { arbitrary: long, weight: 1 },
  { arbitrary: impostor, weight: 4 },
);

Deno.test("Hostile records cost nobody a file, no start, and one warning each", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 4 }), async (moves) => {
      using it = new Neighbourhood();
      await it.run("first");
      for (const [index, { name, make }] of moves.entries()) {
        make(it);
        const content = `after ${index}`;
        const { warnings, ms } = await it.run(content);
        it.assertWell(content);
        assert.ok(warnings.length <= 1, `${name}: ${warnings.join("; ")}`);
        assert.ok(ms < MAX_START, `${name}: the start took ${ms} ms`);
        // What this run recorded is good
        assert.deepEqual((await it.run(content)).warnings, [], name);
      }
    }),
    { numRuns: 150 * FACTOR, seed: SEED },
  );
});
