import assert from "node:assert/strict";
import { LOG_MEANINGS } from "../docs/log_meanings.ts";
import { findLogMessages, messagesIn, OPAQUE } from "../docs/log_messages.ts";

Deno.test("SECURITY.md names tests that exist", () => {
  const root = new URL("../", import.meta.url);
  const named = [...Deno.readTextFileSync(new URL("SECURITY.md", root)).matchAll(/`(tests\/[^`]+)`/g)];
  assert.ok(named.length > 0);
  for (const [, path = ""] of named) assert.ok(Deno.statSync(new URL(path, root)).isFile, path);
});

const LIB = new URL("../lib/", import.meta.url);

Deno.test("docs/operations.md explains every log message of the code, and no other", () => {
  const messages = findLogMessages(LIB);
  assert.deepEqual(messages.map(({ text }) => text).sort(), Object.keys(LOG_MEANINGS).sort());
  const rows = Deno.readTextFileSync(new URL("../docs/operations.md", import.meta.url)).split("\n");
  for (const { text } of messages) {
    const { meaning } = LOG_MEANINGS[text]!;
    assert.ok(rows.some((row) => row.includes(`${text}\``) && row.includes(`| ${meaning} |`)), text);
  }
});

Deno.test("Log messages have words of their own, except warnings about settings", () => {
  const opaque = findLogMessages(LIB).find(({ text }) => text === OPAQUE);
  assert.deepEqual(opaque?.files, ["cli/program.ts", "sidecar/reload.ts"]);
});

Deno.test("messagesIn() finds the text of each call, whatever it is made of", () => {
  const texts = (source: string) => messagesIn(source, "a.ts").map(({ level, text }) => `${level}: ${text}`);
  assert.deepEqual(texts('this.#log.info("a, b", { c })'), ["info: a, b"]);
  assert.deepEqual(texts('log.warn(\n  `${describeRef(ref)} has ${f(`${a}`)} of ${it.path}` +\n    " more",\n)'), [
    "warn: OBJECT has … of PATH more",
  ]);
  assert.deepEqual(texts('log.error(a ? `x ${b ? "" : "y"}` : "z")'), ["error: x …", "error: z"]);
  assert.deepEqual(texts("const line = `it is ${a}`;\nlog.debug(`${line}; again`)"), ["debug: it is …; again"]);
  assert.deepEqual(texts('states.report("warn", key, `${this.#call} failed`)'), ["warn: METHOD URL failed"]);
  assert.deepEqual(texts("log.error(reason)"), ["error: …"]);
});
