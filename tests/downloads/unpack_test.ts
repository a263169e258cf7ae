import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { ArchiveError } from "../../lib/downloads/archive_error.ts";
import { unpack } from "../../lib/downloads/unpack.ts";
import { base64Body } from "../../lib/files/body.ts";
import { encode } from "../support/local_servers.ts";

const MIB = 2 ** 20;

/** Unpacks an archive into memory. */
async function unpacked(archive: Uint8Array, maxBytes = MIB, signal = new AbortController().signal) {
  const pieces: Uint8Array[] = [];
  await unpack(base64Body(archive.toBase64()), (piece) => void pieces.push(piece.slice()), maxBytes, signal);
  return { bytes: new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()), pieces };
}

Deno.test("unpack() gives what was packed, byte for byte", async () => {
  const random = crypto.getRandomValues(new Uint8Array(50_000));
  const long = new Uint8Array(MIB).map((_, at) => random[at % 50_000]! ^ (at >> 12));
  for (const bytes of [encode(""), encode("Grüße 🎉\n"), random, long]) {
    assert.deepEqual((await unpacked(gzipSync(bytes))).bytes, bytes);
  }
});

Deno.test("unpack() keeps archives apart that are unpacked at one time", async () => {
  const texts = Array.from({ length: 20 }, (_, at) => `content ${at}, `.repeat(1000 * at));
  const contents = await Promise.all(texts.map(async (text) => (await unpacked(gzipSync(encode(text)))).bytes));
  assert.deepEqual(contents, texts.map(encode));
});

Deno.test("unpack() takes an archive of several members", async () => {
  const archive = new Uint8Array([...gzipSync("one, "), ...gzipSync("two")]);
  assert.deepEqual((await unpacked(archive)).bytes, encode("one, two"));
});

Deno.test("unpack() ignores the zeros that pad an archive", async () => {
  for (const zeros of [1, 512, 100_000]) {
    const archive = new Uint8Array([...gzipSync("one, "), ...gzipSync("two"), ...new Uint8Array(zeros)]);
    assert.deepEqual((await unpacked(archive)).bytes, encode("one, two"), `${zeros}`);
  }
});

Deno.test("unpack() of several archives at one time mixes nothing up", async () => {
  const archives = [1, 2, 3].map((seed) => new Uint8Array(200_000).map((_, at) => (at * seed * 2654435761) >>> 24));
  const all = await Promise.all(archives.map((bytes) => unpacked(gzipSync(bytes, { level: 0 }))));
  assert.ok(all.every(({ bytes }, at) => bytes.every((byte, index) => byte === archives[at]?.[index])));
});

Deno.test("unpack() hands out small pieces, and stops a bomb at the limit", async () => {
  const bomb = gzipSync(new Uint8Array(64 * MIB));
  let largest = 0;
  let total = 0;
  await assert.rejects(
    unpack(
      () => [bomb],
      ({ length }) => {
        largest = Math.max(largest, length);
        total += length;
      },
      MIB,
      new AbortController().signal,
    ),
    (error) => error instanceof ArchiveError && /larger than 1048576 bytes \(URL_MAX_BYTES\)/.test(error.message),
  );
  assert.equal(total, MIB);
  assert.ok(largest <= 65_536, `${largest}`);
});

Deno.test("unpack() takes an archive of exactly the limit", async () => {
  assert.equal((await unpacked(gzipSync(new Uint8Array(MIB)))).bytes.length, MIB);
});

const ARCHIVE = gzipSync("some text that is long enough to be cut");

for (
  const [what, archive] of [
    ["text", encode("no archive")],
    ["nothing", new Uint8Array()],
    ["half an archive", ARCHIVE.subarray(0, 20)],
    ["an archive without its last byte", ARCHIVE.subarray(0, -1)],
    ["an archive with another checksum", ARCHIVE.map((byte, at) => at === ARCHIVE.length - 6 ? byte ^ 1 : byte)],
  ] as const
) {
  Deno.test(`unpack() refuses ${what}`, async () => {
    await assert.rejects(unpacked(archive), ArchiveError);
  });
}

Deno.test("unpack() passes on what its receiver throws, and the signal's reason", async () => {
  const full = new Error("No space left on device");
  const fail = () => {
    throw full;
  };
  await assert.rejects(unpack(() => [ARCHIVE], fail, MIB, new AbortController().signal), full);
  const reason = new Error("stop");
  await assert.rejects(unpacked(ARCHIVE, MIB, AbortSignal.abort(reason)), reason);
});
