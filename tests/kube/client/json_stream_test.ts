import assert from "node:assert/strict";
import { decodeLines, decodeList } from "../../../lib/kube/client/json_stream.ts";
import { encode } from "../../support/local_servers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

async function* streamOf(chunks: readonly Bytes[]): AsyncGenerator<Bytes, void> {
  for (const chunk of chunks) {
    const own = chunk.slice();
    yield own;
    // A transport may use its buffer again as soon as the next chunk is asked for
    own.fill(0x58);
  }
}

/** The bytes in two chunks, cut at every offset; then byte by byte; then whole. */
function* splits(bytes: Bytes): Generator<Bytes[]> {
  for (let cut = 0; cut <= bytes.length; cut++) yield [bytes.slice(0, cut), bytes.slice(cut)];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  yield [bytes];
}

async function listOf(chunks: readonly Bytes[]): Promise<{ items: unknown[]; list: Record<string, unknown> }> {
  const items: unknown[] = [];
  const decoded = decodeList(streamOf(chunks));
  while (true) {
    const { done, value } = await decoded.next();
    if (done) return { items, list: value };
    items.push(...value);
  }
}

async function linesOf(chunks: readonly Bytes[]): Promise<unknown[]> {
  return (await Array.fromAsync(decodeLines(streamOf(chunks)))).flat();
}

/** Everything that could be mistaken for the end of something. */
const TRICKY = {
  metadata: { name: "ünïcödé-😀", labels: { "}": "]", "{[": '"items":[' } },
  data: {
    quotes: 'say "hi"',
    backslashes: "\\",
    "many\\\\": '\\\\\\"',
    'end\\"': 'a\\"',
    newline: "a\nb\r\n\t",
    json: '{"items":[{"a":1}]}',
    control: "\u0000\u2028",
  },
  items: [{ items: [[], [{}], [[[]]]] }],
  empty: {},
};

/** A list as the API server writes it. */
const USUAL = { kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: "7", continue: "abc" } };
const ITEM = { metadata: { name: "a" }, data: { "},{": '},{"metadata":{"name":"b"}}' } };

const lists: [name: string, list: Record<string, unknown>][] = [
  ["usual", { ...USUAL, items: [TRICKY, ITEM, { metadata: {} }, TRICKY] }],
  ["of a proxy that sorts", {
    apiVersion: "v1",
    items: ["a", "b", "c"].map((name) => ({ apiVersion: "v1", data: TRICKY, kind: "Secret", metadata: { name } })),
    kind: "List",
    metadata: { continue: "", resourceVersion: "7" },
  }],
  ["usual, with owners", { ...USUAL, items: [1, 2, 3].map((n) => ({ owners: [{ owners: n }, { owners: n }], n })) }],
  ["usual, of one", { ...USUAL, items: [TRICKY] }],
  ["usual, of none", { ...USUAL, items: [] }],
  ["usual, then not", { ...USUAL, items: [ITEM, { inner: [{}, { metadata: 1 }] }, { kind: "x", metadata: {} }, ITEM] }],
  ["usual at first sight", { ...USUAL, metadata: { items: [{ metadata: 1 }, { metadata: 2 }] }, items: [ITEM, ITEM] }],
  ["usual, and more", { ...USUAL, items: [ITEM, ITEM], more: [ITEM, ITEM] }],
  ["tricky", { kind: "ConfigMapList", metadata: { resourceVersion: "7" }, items: [TRICKY, {}, { a: [] }, TRICKY] }],
  ["items first", { items: [{ a: 1 }, { b: "]" }], metadata: { resourceVersion: "7", continue: 'a\\"]' } }],
  ["empty", { metadata: { resourceVersion: "7" }, items: [] }],
  ["null", { metadata: { resourceVersion: "7" }, items: null }],
  ["none", { kind: "Status", message: '"items":[{}]', details: { causes: [{ items: [{}] }] } }],
  ["another array", { other: [{ a: 1 }], items: [{ b: 2 }], more: [{ c: 3 }], last: ["items", ["items"]] }],
  ["nested", { inner: { items: [{ a: 1 }] }, items: [{ b: 2 }], after: { items: [{ c: 3 }] } }],
];

for (const [name, list] of lists) {
  Deno.test(`decodeList() gives the same of a list wherever its bytes are cut: ${name}`, async () => {
    const { items, ...rest } = list;
    for (const text of [JSON.stringify(list), JSON.stringify(list, null, 1) + "\n"]) {
      for (const chunks of splits(encode(text))) {
        const decoded = await listOf(chunks);
        const where = `cut at ${chunks[0]?.length}`;
        assert.deepEqual(decoded.items, items ?? [], where);
        assert.deepEqual(decoded.list, rest, where);
      }
    }
  });
}

Deno.test("decodeList() yields the objects of a chunk as soon as they are complete", async () => {
  const item = (name: string) => ({ metadata: { name } });
  const text = JSON.stringify({ ...USUAL, items: ["a", "b", "c"].map(item) });
  const cut = text.indexOf('"c"');
  let ended = false;
  async function* stalling(): AsyncGenerator<Bytes, void> {
    yield encode(text.slice(0, cut));
    await Promise.resolve();
    ended = true;
    yield encode(text.slice(cut));
  }
  const decoded = decodeList(stalling());
  assert.deepEqual(await decoded.next(), { done: false, value: [item("a"), item("b")] });
  assert.equal(ended, false);
  assert.deepEqual(await decoded.next(), { done: false, value: [item("c")] });
});

Deno.test("decodeList() throws a SyntaxError wherever a list is cut off, after the objects that came whole", async () => {
  for (const usual of [USUAL, {}]) {
    const whole = encode(JSON.stringify({ ...usual, items: [ITEM, TRICKY, ITEM] }));
    for (let length = 0; length < whole.length; length++) {
      await assert.rejects(listOf([whole.slice(0, length)]), SyntaxError, `cut off after ${length} bytes`);
    }
  }
});

Deno.test("decodeList() throws a SyntaxError for what is not JSON", async () => {
  const answers = [
    "",
    "<html><body style='{color:red}'>502 Bad Gateway</body></html>",
    '<a href="x">]}]}{"items":[{}]}</a>',
    '{"items":[{a:1}]}',
    '{"items":[{}]} {"items":[{}]}',
    "404 page not found",
    "null",
    "404",
    '"items"',
  ];
  for (const answer of answers) await assert.rejects(listOf([encode(answer)]), SyntaxError, answer);
});

Deno.test("decodeLines() gives the same of a watch wherever its bytes are cut", async () => {
  const events = [
    { type: "ADDED", object: TRICKY },
    { type: "BOOKMARK", object: { metadata: { resourceVersion: "8" } } },
    { type: "DELETED", object: TRICKY },
  ];
  const text = `${JSON.stringify(events[0])}\n\n${JSON.stringify(events[1])}\r\n \n${JSON.stringify(events[2])}\n`;
  for (const chunks of splits(encode(text))) {
    assert.deepEqual(await linesOf(chunks), events, `cut at ${chunks[0]?.length}`);
  }
});

Deno.test("decodeLines() yields a line as soon as it is complete", async () => {
  let asked = false;
  async function* stalling(): AsyncGenerator<Bytes, void> {
    yield encode('{"a":1}\n{"b":');
    asked = true;
  }
  const decoded = decodeLines(stalling());
  assert.deepEqual([(await decoded.next()).value, asked], [[{ a: 1 }], false]);
});

Deno.test("decodeLines() passes over a last line that was cut", async () => {
  assert.deepEqual(await linesOf([encode('{"a":1}\n{"b":2')]), [{ a: 1 }]);
  assert.deepEqual(await linesOf([encode('{"a":1}')]), []);
});

Deno.test("decodeLines() throws a SyntaxError for a line that is not JSON, after the lines before it", async () => {
  const decoded = decodeLines(streamOf([encode('{"a":1}\n<html>\n')]));
  assert.deepEqual((await decoded.next()).value, [{ a: 1 }]);
  await assert.rejects(decoded.next(), SyntaxError);
});
