import assert from "node:assert/strict";
import { lines, MAX_LINE_LENGTH } from "../../lib/notify/lines.ts";
import { encode } from "../support/local_servers.ts";

async function collect(chunks: Iterable<Uint8Array>): Promise<string[]> {
  return await Array.fromAsync(lines(ReadableStream.from(chunks), new AbortController().signal));
}

Deno.test("lines() joins what chunks tore apart, characters included", async () => {
  const euro = encode("€");
  assert.deepEqual(await collect([encode("one\ntw"), encode("o\n\n"), euro.slice(0, 1), euro.slice(1), encode("!")]), [
    "one",
    "two",
    "",
    "€!",
  ]);
  assert.deepEqual(await collect([]), []);
});

Deno.test("lines() cuts a line that is too long", async () => {
  const endless = Array.from({ length: 100 }, () => encode("x".repeat(1000)));
  assert.deepEqual(await collect([...endless, encode("\nnext\n")]), ["x".repeat(MAX_LINE_LENGTH), "next"]);
});

Deno.test("lines() ends when its signal aborts", async () => {
  const abort = new AbortController();
  let cancelled = false;
  const silent = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const collected = Array.fromAsync(lines(silent, abort.signal));
  abort.abort();
  assert.deepEqual([await collected, cancelled], [[], true]);
});
