import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { LOG_MEANINGS } from "../docs/log_meanings.ts";
import { findLogMessages, messagesIn, OPAQUE } from "../docs/log_messages.ts";
import { anchorsOf, linksOf } from "./support/documents.ts";

const root = new URL("../", import.meta.url);
const docs = [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`)
  .filter((name) => name.endsWith(".md"));
const documents = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "bench/README.md", ...docs];

Deno.test("links in the documents lead to files and headings that exist", () => {
  const broken: string[] = [];
  for (const document of documents) {
    const url = new URL(document, root);
    const links = linksOf(Deno.readTextFileSync(url));
    assert.ok(document !== "README.md" || links.length > 20);
    for (const link of links) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? url : new URL(path, url);
      const isThere = existsSync(target) &&
        (anchor === undefined || anchorsOf(Deno.readTextFileSync(target)).has(anchor));
      if (!isThere) broken.push(`${document}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("README.md leads to every document, and has at most 150 lines of 120 columns", () => {
  const text = Deno.readTextFileSync(new URL("README.md", root));
  const links = linksOf(text);
  assert.deepEqual(documents.filter((path) => path !== "README.md" && !links.includes(path)), []);
  const lines = text.trimEnd().split("\n");
  assert.ok(lines.length <= 150, `${lines.length} lines`);
  assert.deepEqual(lines.filter((line) => line.length > 120), []);
});

Deno.test("every document in docs/ begins with a sentence that says what it is for and for whom", () => {
  for (const path of docs) {
    const [title = "", sentence = ""] = Deno.readTextFileSync(new URL(path, root)).split("\n\n");
    assert.match(title, /^# \S/, path);
    assert.match(sentence.replaceAll("\n", " "), /^[A-Z].+: for .+\.$/, path);
  }
});

Deno.test("anchorsOf() names headings as GitHub does", () => {
  const anchors = anchorsOf(
    "# `*.url` keys\n## With a Helm chart\n### check --pod\n## Same\n## Same\n```sh\n# no\n```",
  );
  assert.deepEqual([...anchors], ["url-keys", "with-a-helm-chart", "check---pod", "same", "same-1"]);
});

Deno.test("SECURITY.md names tests that exist", () => {
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
  assert.deepEqual(opaque?.files, ["cli/program.ts", "sidecar/collections/reload.ts"]);
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
