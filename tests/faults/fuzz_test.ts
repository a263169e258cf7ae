/** What must hold for everything: many thousand cases in CI, FUZZ_FACTOR times as many when asked for. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { SimulatedTime } from "../../bench/simulated_time.ts";
import { parseCommandLine } from "../../lib/cli/command_line.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { textOf } from "../../lib/files/body.ts";
import type { Precedence } from "../../lib/files/claimant.ts";
import { Journal } from "../../lib/files/journal.ts";
import { isInside } from "../../lib/files/paths.ts";
import { project } from "../../lib/files/projection.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { decodeLines, decodeList } from "../../lib/kube/client/json_stream.ts";
import type { Kind } from "../../lib/objects/kind.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import type { Source } from "../../lib/objects/source.ts";
import { parseSelector } from "../../lib/objects/selector_grammar.ts";
import { Watcher } from "../../lib/kube/watch/watcher.ts";
import { Debounce } from "../../lib/reconcile/debounce.ts";
import { Propagation } from "../../lib/reconcile/propagation.ts";
import { Reconciler } from "../../lib/reconcile/reconciler.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { FileObjects } from "../../lib/sidecar/sources/object_sink.ts";
import { Outages } from "../../lib/sidecar/sources/outages.ts";
import { SourceFollower } from "../../lib/sidecar/sources/source_follower.ts";
import { keptLog } from "../support/api_gateway.ts";
import { filesIn } from "../support/disk.ts";
import { SEED } from "../support/fault_story.ts";
import { assertFolderEquals } from "../support/oracle.ts";
import { pick, seeded } from "../support/random.ts";
import { SimulatedApi } from "../support/simulated_api.ts";

const FACTOR = Number(Deno.env.get("FUZZ_FACTOR") ?? 1);

/** How often, and from which seed; fast-check names the seed of a failure itself. */
function runs(quick: number): { numRuns: number; seed: number } {
  return { numRuns: quick * FACTOR, seed: SEED };
}

/** Text with what could be mistaken for structure, and characters of one to four bytes. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    '"',
    "\\",
    '\\"',
    "}",
    "]",
    '"items":[',
    "\n",
    "\r\n",
    "\u2028",
    "é",
    "€",
    "😀",
    '{"a":[',
    "\0",
    "metadata",
    '},{"metadata":',
  ),
  fc.array(fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "é", "😀", "\n")).map((parts) => parts.join("")),
);

/** Without what JSON escapes: V8 14.7 to 15.0 take such a key for another one now and then, and Kubernetes has none. */
const plainKey = text.filter((text) => JSON.stringify(text) === `"${text}"`);

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(plainKey, tie("value"), { maxKeys: 4 }),
  ),
})).value;

/** Where bytes are cut, as shares of their length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

/** The bytes in pieces; each is overwritten once the next is asked for, as a transport may do. */
async function* inPieces(bytes: Uint8Array, shares: readonly number[]): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const places = [0, ...shares.map((share) => Math.floor(share * bytes.length)), bytes.length].sort((a, b) => a - b);
  for (let index = 1; index < places.length; index++) {
    const piece = bytes.slice(places[index - 1], places[index]);
    yield piece;
    piece.fill(0x22);
  }
}

async function listOf(bytes: Uint8Array, shares: readonly number[]) {
  const items: unknown[] = [];
  const decoded = decodeList(inPieces(bytes, shares));
  for (let next = await decoded.next();; next = await decoded.next()) {
    if (next.done) return { items, envelope: next.value };
    items.push(...next.value);
  }
}

function bytesOf(value: unknown, indent: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, indent));
}

/** JSON knows no `-0` and no `undefined`. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

Deno.test("decodeLines() gives the same events however the bytes of a watch are split", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(json, { maxLength: 8 }),
      cuts,
      fc.constantFrom("\n", "\r\n", "\n\n"),
      async (events, shares, end) => {
        const whole = events.map((event) => JSON.stringify(event) + end).join("");
        const decoded = await Array.fromAsync(decodeLines(inPieces(new TextEncoder().encode(whole), shares)));
        assert.deepEqual(decoded.flat(), asJson(events));
      },
    ),
    runs(3000),
  );
});

Deno.test("decodeLines() of a watch that is cut anywhere gives the events before that, and no other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 5 }), cuts, fc.nat(), async (events, shares, place) => {
      const lines = events.map((event) => `${JSON.stringify(event)}\n`);
      const bytes = new TextEncoder().encode(lines.join(""));
      const cut = place % (bytes.length + 1);
      const decoded = await Array.fromAsync(decodeLines(inPieces(bytes.slice(0, cut), shares)));
      let length = 0;
      const complete = lines.filter((line) => (length += new TextEncoder().encode(line).length) <= cut).length;
      assert.deepEqual(decoded.flat(), (asJson(events) as unknown[]).slice(0, complete));
    }),
    runs(2000),
  );
});

/** Mostly what the API server sends, for its lists are decoded in another way. */
const usualList = fc.record({
  metadata: fc.dictionary(fc.constantFrom("resourceVersion", "continue", "selfLink"), text),
  items: fc.array(fc.dictionary(plainKey, json, { maxKeys: 3 }).map((rest) => ({ metadata: {}, ...rest })), {
    maxLength: 6,
  }),
}).map((list) => ({ value: { kind: "SecretList", apiVersion: "v1", ...list } as Record<string, unknown>, indent: 0 }));

const unusualList = fc.record({
  items: fc.oneof(fc.array(fc.dictionary(plainKey, json, { maxKeys: 4 }), { maxLength: 6 }), fc.constant(null)),
  before: fc.dictionary(plainKey.filter((key) => key !== "items"), json, { maxKeys: 3 }),
  after: fc.dictionary(plainKey.filter((key) => key !== "items"), json, { maxKeys: 3 }),
  indent: fc.constantFrom(0, 1, 2),
}).map(({ items, before, after, indent }) => ({
  value: { ...before, items, ...after } as Record<string, unknown>,
  indent,
}));

const list = fc.oneof(usualList, unusualList);

Deno.test("decodeList() gives what JSON.parse() gives, however the bytes of a list are split", async () => {
  await fc.assert(
    fc.asyncProperty(list, cuts, async ({ value, indent }, shares) => {
      const { items, envelope } = await listOf(bytesOf(value, indent), shares);
      const { items: expected, ...rest } = asJson(value) as { items: unknown[] | null };
      assert.deepEqual(items, expected ?? []);
      assert.deepEqual(envelope, rest);
    }),
    runs(3000),
  );
});

Deno.test("decodeList() never takes a part of a list for the whole", async () => {
  await fc.assert(
    fc.asyncProperty(list, cuts, fc.nat(), async ({ value, indent }, shares, place) => {
      const bytes = bytesOf(value, indent);
      await assert.rejects(listOf(bytes.slice(0, place % bytes.length), shares), SyntaxError);
    }),
    runs(2000),
  );
});

Deno.test("decodeLines() and decodeList() throw nothing but a SyntaxError, whatever comes", async () => {
  const rubbish = fc.oneof(fc.uint8Array({ maxLength: 200 }), text.map((text) => new TextEncoder().encode(text)));
  await fc.assert(
    fc.asyncProperty(fc.array(rubbish), cuts, async (parts, shares) => {
      const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
      const isExpected = (error: unknown) => assert.ok(error instanceof SyntaxError, String(error));
      await Array.fromAsync(decodeLines(inPieces(bytes, shares))).catch(isExpected);
      await listOf(bytes, shares).catch(isExpected);
    }),
    runs(3000),
  );
});

const ROOTS = { folder: "/data/files", allowedFolders: ["/extra", "/data/files-too"] };
const ANNOTATION = "k8s-sidecar-target-directory";
const part = fc.constantFrom(
  "..",
  ".",
  "",
  "a",
  "b",
  "/",
  "extra",
  "data",
  "files",
  "files-too",
  "\0",
  "..k8s-sidecar-",
  "x".repeat(300),
  "é",
);
const target = fc.oneof(text, fc.array(part).map((parts) => parts.join("/")), json as fc.Arbitrary<string>);
const key = fc.oneof(
  text,
  fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/),
  fc.constantFrom(".", "..", "a.url", ".url", "..k8s-sidecar-x", "a/b", "../a", "__proto__", "constructor", "toString"),
);
const value = fc.oneof(text, fc.base64String(), json as fc.Arbitrary<string>);
const entries = fc.array(fc.tuple(key, value), { maxLength: 8 });
const object = fc.record({
  target,
  data: entries,
  binaryData: entries,
  kind: fc.constantFrom<Kind>("ConfigMap", "Secret"),
});

function objectOf(target: string, data: [string, string][], binaryData: [string, string][]): KubeObject {
  const metadata = {
    ...{ name: "a", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
    annotations: { [ANNOTATION]: target },
  };
  return { metadata, data: Object.fromEntries(data), binaryData: Object.fromEntries(binaryData) };
}

Deno.test("project() never throws, leads nowhere outside, and gives the same files in whatever order the keys come", () => {
  fc.assert(
    fc.property(object, fc.boolean(), fc.boolean(), ({ kind, target, data, binaryData }, uniqueFilenames, other) => {
      const options = { uniqueFilenames, maxFilesPerObject: 5000, folderPerNamespace: other, decompress: other };
      const settings = { ...ROOTS, folderAnnotation: ANNOTATION, ...options };
      const shown = (object: KubeObject) =>
        project(kind, object, settings).files.map(({ path, content }): [string, string] => {
          assert.ok(
            [ROOTS.folder, ...ROOTS.allowedFolders].some((root) => path !== root && isInside(root, path)),
            path,
          );
          // deno-lint-ignore no-control-regex
          assert.doesNotMatch(path, /\/\.\.?(\/|$)|\/\/|\/\.\.k8s-sidecar-|[\x00-\x1f]/);
          return [path, "body" in content ? `bytes ${textOf(content.body)}` : JSON.stringify(content)];
        }).sort();
      // A key of data that is also one of binaryData cannot be: the API server refuses it
      const own = binaryData.filter(([key]) => !data.some(([other]) => other === key));
      const files = shown(objectOf(target, data, own));
      const unique = new Map([...data].reverse().map((entry) => [entry[0], entry]));
      const lastWins = new Map(data.map((entry) => [entry[0], entry]));
      assert.equal(unique.size, lastWins.size);
      assert.deepEqual(
        shown(objectOf(target, [...lastWins.values()].reverse(), [...new Map(own).entries()].reverse())),
        files,
      );
    }),
    runs(3000),
  );
});

Deno.test("parseConfig(), parseCommandLine() and parseSelector() explain themselves, and throw nothing else, whatever they are given", () => {
  const words = fc.constantFrom(
    "true",
    "0",
    "-1",
    "1e999",
    "a",
    "a in (b,c)",
    "!a",
    "http://[",
    "/",
    "../x",
    "ns/secret/b",
    ",,",
    "none",
    "600",
  );
  const environment = fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(SETTINGS)), text), fc.oneof(words, text), {
    maxKeys: 12,
  });
  const args = fc.array(
    fc.oneof(fc.constantFrom("--help", "--manifests", "--manifests=", "remove-finalizers", "--x=y", "--"), text),
  );
  fc.assert(
    fc.property(environment, args, (env, args) => {
      const { command } = parseCommandLine(args);
      const { config, faults } = parseConfig(env, "flags" in command ? command.flags : {});
      assert.ok(Object.isFrozen(config));
      for (const { message } of faults) assert.ok(message.length < 3000);
      for (const selector of Object.values(env)) {
        try {
          parseSelector(selector);
        } catch (error) {
          assert.equal((error as Error).name, "SelectorError");
        }
      }
    }),
    runs(3000),
  );
});

const PATHS = ["/data/a", "/data/b/c", "/data/\u2028", '/data/"', "/data/é\n"];
const record = fc.oneof(
  fc.record({
    verb: fc.constant("own" as const),
    path: fc.constantFrom(...PATHS),
    owner: fc.constantFrom("A", "B\n"),
    stamp: fc.record({ ino: fc.nat(), mtime: fc.nat(), size: fc.nat() }),
    taken: fc.boolean(),
  }),
  fc.record({
    verb: fc.constantFrom("drop" as const, "recordDirectory" as const, "forgetDirectory" as const),
    path: fc.constantFrom(...PATHS),
  }),
  fc.record({
    verb: fc.constantFrom("addPending" as const, "delivered" as const, "tidy" as const),
    path: fc.constantFrom(...PATHS),
  }),
);

Deno.test("Journal says after a crash at any byte what it said after one of its records, and owns nothing else", () => {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/journal`;
  const load = () => new Journal({ folder: dir, id: "id", stateFile: path, log: keptLog() });
  const stateOf = (journal: Journal) => {
    const owned = [...journal.files()].map(([path, { owner, ino, mtime, size }]) => [path, owner, ino, mtime, size]);
    return JSON.stringify([owned.sort(), [...journal.madeDirectories].sort(), [...journal.pending ?? ["-"]].sort()]);
  };
  const none = JSON.stringify([[], [], ["-"]]);
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), fc.nat(), text, (records, place, garbage) => {
      Deno.writeFileSync(path, new Uint8Array());
      const journal = load();
      const states = new Map([[0, none]]);
      for (const record of records) {
        switch (record.verb) {
          case "own":
            // Nobody has such an inode: what was about to be taken over was not
            if (record.taken && journal.ownerOf(record.path) === undefined) continue;
            journal.own(record.path, record.owner, record.stamp);
            break;
          case "addPending":
            journal.addPending([record.path]);
            break;
          case "delivered":
            journal.delivered([record.path]);
            break;
          case "tidy":
            journal.tidy();
            break;
          default:
            journal[record.verb](record.path);
        }
        states.set(Deno.statSync(path).size, stateOf(journal));
      }
      const bytes = Deno.readFileSync(path);
      assert.equal(stateOf(load()), stateOf(journal));
      // Since the last time it was written anew, a prefix is a state that was
      const cut = place % (bytes.length + 1);
      // With a quote it might happen to make a record of the piece before it
      const tail = new TextEncoder().encode(garbage.replaceAll(/[\n"]/g, ""));
      Deno.writeFileSync(path, Uint8Array.from([...bytes.slice(0, cut), ...tail]));
      const after = load();
      const owned = [...after.files()].map(([path]) => path);
      assert.ok(owned.every((path) => PATHS.includes(path)), owned.join());
      after.own("/data/new", "C", { ino: 1, mtime: 2, size: 3 });
      const again = load();
      assert.equal(stateOf(again), stateOf(after));
    }),
    runs(1500),
  );
  Deno.removeSync(dir, { recursive: true });
});

const SOURCES: readonly Source[] = [{ kind: "ConfigMap" }, { kind: "Secret" }];
/** `a` and `b` are folders, too. */
const KEYS = ["shared-1", "shared-2", "own", "a", "b"];
const NESTED = [undefined, "a", "a/b", "a/b/a"];
const FOLDERS = [...NESTED, "../out"];

interface StartOptions {
  api: SimulatedApi;
  folder: string;
  clock: SimulatedTime;
  random: () => number;
  resyncPeriod: number;
  removeDelay: number;
  collisions: Precedence;
  onWritten(paths: readonly string[]): void;
}

/** Everything between the API server and the disk, on a clock that is passed on by hand. */
function start({ api, folder, clock, random, resyncPeriod, removeDelay, collisions, onWritten }: StartOptions) {
  const log = keptLog();
  const outages = new Outages();
  const abort = new AbortController();
  const journal = new Journal({ folder, id: "0123456789", log });
  const publisher = new Publisher({
    configFiles: [],
    ...{ folder, allowedFolders: [], mode: 0o644, atomicWrites: true, journal, id: "0123456789", log },
    beforeChange() {},
  });
  const reconciler = new Reconciler({
    settings: {
      folder,
      folderAnnotation: ANNOTATION,
      allowedFolders: [],
      uniqueFilenames: false,
      maxFilesPerObject: 5000,
      folderPerNamespace: false,
      decompress: false,
    },
    ...{ collisions, sources: SOURCES, removeDelay, publisher, journal, clock, random, firstBackoff: 1, log },
    downloads: { want() {}, forget() {} },
    heartbeat: { expectWithin() {}, idle() {} },
    onChange() {},
    read: (source, ref) => api.read(source, ref),
    onEvent: (event) => event.type === "written" && onWritten(event.paths),
    onReleased() {},
  });
  const debounce = new Debounce(reconciler, clock, new Propagation({ onWritten() {}, clock }));
  const timing = { sleepTime: 60, serverTimeout: 60, clientTimeout: 66, resyncPeriod, firstBackoff: 1 };
  const running = SOURCES.map((source) => {
    const watcher = new Watcher({
      client: api,
      source,
      mode: "watch",
      ...timing,
      clock,
      random,
      heartbeat: { expectWithin() {} },
    });
    const sink = new FileObjects({ source, reconciler: debounce, admit: undefined, selects: () => true, log });
    const follower = new SourceFollower({ source, watcher, sink, outages, clock, log });
    return follower.run(abort.signal, { once: false });
  });
  const all = Promise.all([...running, debounce.run(abort.signal), reconciler.run(abort.signal)]);
  return {
    log,
    async stop() {
      abort.abort();
      await all;
    },
  };
}

/** Whether one path needs a directory where the other is a file. */
function areInConflict(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function expectedOf(api: SimulatedApi, collisions: Precedence): Record<string, string> {
  const age = ([, { metadata }]: [Kind, KubeObject]) =>
    Date.parse(metadata.creationTimestamp) * (collisions === "oldest" ? 1 : -1);
  const name = ([kind, { metadata }]: [Kind, KubeObject]) => [metadata.name, kind].join("\0");
  const files: Record<string, string> = {};
  const inOrder = api.objects.sort((a, b) => age(a) - age(b) || (name(a) < name(b) ? -1 : 1));
  for (const [kind, { metadata, data }] of inOrder) {
    const target = metadata.annotations?.[ANNOTATION];
    if (target === "../out") continue;
    for (const [key, value] of Object.entries(data ?? {})) {
      const path = (target === undefined ? "" : `${target}/`) + key;
      if (Object.keys(files).some((other) => other === path || areInConflict(other, path))) continue;
      files[path] = kind === "Secret" ? atob(value) : value;
    }
  }
  return files;
}

/** Files that refused objects may have kept: what they were before they were refused depends on what the sidecar saw. */
function keptFiles(api: SimulatedApi, folder: string): Record<string, string> {
  const isRefused = ([, { metadata }]: [Kind, KubeObject]) => metadata.annotations?.[ANNOTATION] === "../out";
  const refused = new Set(api.objects.filter(isRefused).map(([kind, { metadata }]) => `${kind} ${metadata.name}`));
  return Object.fromEntries(
    Object.entries(filesIn(folder)).filter(([, content]) => refused.has(content.replace(/ \d+$/, ""))),
  );
}

async function oneLife(seed: number): Promise<void> {
  const random = seeded(seed);
  const dir = Deno.makeTempDirSync();
  const folder = `${dir}/files`;
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(`${folder}/stranger`, "x", { mode: 0o644 });
  const restores = random() < 0.3;
  const clock = new SimulatedTime();
  const api = new SimulatedApi(random, random() < 0.2 ? 0 : random() * 1.5, clock);
  let backup = api.backup();
  const past = new Past();
  const removeDelay = pick(random, [0, 0, 20]);
  const collisions = pick(random, ["oldest", "newest"] as const);
  const begin = () =>
    start({
      ...{ api, folder, clock, random, removeDelay, collisions },
      resyncPeriod: restores ? 300 : pick(random, [0, 30]),
      onWritten: (paths) => restores || past.look(paths),
    });
  let sidecar = begin();
  for (let step = 0; step < 60; step++) {
    const dice = random();
    if (dice < 0.6) {
      const putSome = (targets: readonly (string | undefined)[], keys: readonly string[]) => {
        const kind = pick(random, ["ConfigMap", "Secret"] as const);
        const name = `object-${Math.floor(random() * 4)}`;
        const target = pick(random, targets);
        const text = `${kind} ${name} ${step}`;
        const data = keys.filter(() => random() < 0.5)
          .map((key) => [key === "own" ? `${kind}-${name}` : key, kind === "Secret" ? btoa(text) : text]);
        const annotations: Record<string, string> = target === undefined ? {} : { [ANNOTATION]: target };
        api.put(kind, name, random() < 0.3 ? undefined : Object.fromEntries(data), annotations);
      };
      // Sometimes many at once, with nothing but files where others have folders
      if (dice < 0.05) { for (let count = 0; count < 8; count++) putSome(NESTED, ["a", "b"]); }
      else putSome(FOLDERS, KEYS);
    } else if (dice < 0.85) await clock.pass(random() < 0.2 ? random() * 90 : random() * 2);
    else if (dice < 0.88) api.compact();
    else if (dice < 0.91) api.loseConnections();
    else if (dice < 0.94 && restores) api.restore(backup);
    else if (dice < 0.97) backup = api.backup();
    else {
      await sidecar.stop();
      sidecar = begin();
    }
  }
  api.faults = 0;
  await clock.pass((restores ? 500 : 100) + removeDelay);
  const log = sidecar.log.lines;
  await sidecar.stop();
  try {
    assertFolderEquals(folder, { ...keptFiles(api, folder), ...expectedOf(api, collisions), stranger: "x" });
    assert.deepEqual(past.faults, []);
  } catch (error) {
    throw new Error(`life ${seed}: ${error instanceof Error ? error.message : error}\n${log.slice(-30).join("\n")}`);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** What was once on disk, to see whether an object's file goes back to an earlier content. */
class Past {
  readonly #latest = new Map<string, number>();
  readonly faults: string[] = [];

  look(paths: readonly string[]): void {
    for (const path of paths) {
      const [, object, step] = /^(\S+ \S+) (\d+)$/.exec(Deno.readTextFileSync(path)) ?? [];
      const place = `${path}: ${object}`;
      const before = this.#latest.get(place) ?? 0;
      if (Number(step) < before) this.faults.push(`${place} went from step ${before} back to ${step}`);
      this.#latest.set(place, Number(step));
    }
  }
}

Deno.test(`from an API server made of chance to the disk: every life ends with the right files (FAULTS_SEED=${SEED})`, async () => {
  for (let life = 0; life < 500 * FACTOR; life++) await oneLife((SEED + life) >>> 0);
});
