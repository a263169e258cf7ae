import assert from "node:assert/strict";
import { lineFormatter, type LogFormat, type LogRecord } from "../../lib/log/log_format.ts";

const AT = Date.UTC(2024, 1, 29, 23, 59, 59, 7);
const TIME = "2024-02-29T23:59:59.007Z";
const FORMATS: readonly LogFormat[] = ["JSON", "LOGFMT", "TEXT"];

function lineOf(format: LogFormat, rawMessage: string, properties: LogRecord["properties"] = {}, level = "info") {
  return lineFormatter(format, true)({ level, rawMessage, properties, timestamp: AT });
}

Deno.test("lineFormatter() orders keys: time, level, msg, then properties", () => {
  const line = lineOf("JSON", "wrote a file", { path: "/a", bytes: 7, ok: true, list: ["x"] });
  assert.equal(
    line,
    `{"time":"${TIME}","level":"INFO","msg":"wrote a file","path":"/a","bytes":7,"ok":true,"list":["x"]}\n`,
  );
});

Deno.test("lineFormatter() quotes and escapes LOGFMT values that need it", () => {
  const cases: [value: unknown, text: string][] = [
    ["plain", "plain"],
    ["/a/b:c,d", "/a/b:c,d"],
    ["with blank", '"with blank"'],
    ["", '""'],
    ["a=b", '"a=b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["line\nbreak\r\ttab", '"line\\nbreak\\r\\ttab"'],
    ["grün", '"grün"'],
    [7, "7"],
    [false, "false"],
    [null, "null"],
    [undefined, '""'],
    [["a", 1], '"[\\"a\\",1]"'],
  ];
  for (const [value, text] of cases) {
    assert.equal(lineOf("LOGFMT", "m", { value }), `time=${TIME} level=INFO msg=m value=${text}\n`);
  }
});

Deno.test("lineFormatter() writes TEXT for people: time, level, message, then properties", () => {
  assert.equal(lineOf("TEXT", 'the "message" = this'), `${TIME} INFO  the "message" = this\n`);
  assert.equal(
    lineOf("TEXT", "wrote", { path: "/a b", bytes: 1 }, "error"),
    `${TIME} ERROR wrote  path="/a b" bytes=1\n`,
  );
});

Deno.test("lineFormatter() leaves out of TEXT what the message shows", () => {
  const message = "ConfigMap team/dash: wrote /data/dash.json after 2 attempts";
  const about = (properties: Record<string, unknown>) => lineOf("TEXT", message, properties).split(message)[1]?.trim();
  assert.equal(about({ object: "team/configmap/dash", path: "/data/dash.json", attempts: 2 }), "");
  assert.equal(about({ object: "team/secret/dash" }), "object=team/secret/dash");
  assert.equal(about({ object: "am/configmap/dash" }), "object=am/configmap/dash");
  assert.equal(about({ path: "/data/dash" }), "path=/data/dash");
  assert.equal(about({ path: "data/dash.json" }), "path=data/dash.json");
  assert.equal(about({ collection: "das", empty: "" }), 'collection=das empty=""');
  assert.equal(about({ collection: "default" }), "");
  assert.ok(lineOf("TEXT", "the volume is full", { collection: "full" }).endsWith("full  collection=full\n"));
  assert.ok(lineOf("TEXT", "collection full was removed", { collection: "full" }).endsWith("removed\n"));
  for (const format of ["JSON", "LOGFMT"] as const) {
    assert.ok(lineOf(format, message, { path: "/data/dash.json", collection: "default" }).includes("default"));
    assert.equal(lineOf(format, message, { path: "/data/dash.json" }).split("/data/dash.json").length, 3);
  }
});

Deno.test("lineFormatter() writes five files in TEXT, one a line, and how many more there are", () => {
  const files = Array.from({ length: 10 }, (_, index) => `/data/${index}`);
  const linesOf = (properties: Record<string, unknown>) => lineOf("TEXT", "wrote 12 files", properties).split("\n");
  assert.deepEqual(linesOf({ count: 12, files, more: 1 }), [
    `${TIME} INFO  wrote 12 files  more=1`,
    ...[0, 1, 2, 3, 4].map((index) => `    /data/${index}`),
    "    and 7 more",
    "",
  ]);
  assert.deepEqual(linesOf({ count: 5, files: files.slice(0, 5) }).slice(1), [
    ...[0, 1, 2, 3, 4].map((index) => `    /data/${index}`),
    "",
  ]);
  const output = Array.from({ length: 25 }, (_, index) => `line ${index}\n`);
  const lines = linesOf({ output });
  assert.deepEqual([lines.length, lines[1], lines[21]], [23, "    line 0\\u000a", "    and 5 more"]);
});

Deno.test("lineFormatter() names the levels as LOG_LEVEL does", () => {
  const names = ["debug", "info", "warning", "error", "fatal"].map((level) => {
    return JSON.parse(lineOf("JSON", "m", {}, level)).level;
  });
  assert.deepEqual(names, ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
});

Deno.test("lineFormatter() makes one line of a record, whatever is in it", () => {
  const texts = ["a\nb", "a\r\nb", "\n", "a\rb", "\n\n{}\n", "a {placeholder} b", "ü€😀", "\u0000\u001b[31m"];
  for (const format of FORMATS) {
    for (const text of texts) {
      const line = lineOf(format, text, { text, error: new Error(text) });
      assert.equal(line.split(/[\r\n]/).length, 2, JSON.stringify([format, line]));
      assert.ok(line.endsWith("\n"));
    }
  }
});

Deno.test("lineFormatter() cuts long messages and properties", () => {
  for (const format of FORMATS) {
    const line = lineOf(format, "m".repeat(300_000), {
      text: "t".repeat(300_000),
      error: new Error("e".repeat(300_000)),
    });
    assert.ok(line.length < 7000, String(line.length));
    assert.ok(line.includes("… (300000 characters)"), line);
  }
});

Deno.test("lineFormatter() escapes control characters and marks of direction", () => {
  const text = "a\u009b31m\u202eb\u2028c\u061cd\u2066e\u007ff";
  for (const format of FORMATS) {
    const line = lineOf(format, text, { text });
    assert.ok(line.includes("a\\u009b31m\\u202eb\\u2028c\\u061cd\\u2066e\\u007ff"), line);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
  }
  assert.equal(JSON.parse(lineOf("JSON", text)).msg, text);
});

Deno.test("lineFormatter() keeps braces in a message: it has no placeholders", () => {
  assert.equal(JSON.parse(lineOf("JSON", "app in {a} {{b}}", { a: 1 })).msg, "app in {a} {{b}}");
});

Deno.test("lineFormatter() hides properties whose names are those of secrets", () => {
  const secret = "geheim";
  const names = ["password", "REQ_PASSWORD", "token", "accessToken", "Authorization", "clientSecret", "credentials"];
  for (const format of FORMATS) {
    const line = lineOf(format, "m", Object.fromEntries([...names, "path"].map((name) => [name, secret])));
    assert.equal(line.split(secret).length, 2, line);
    for (const name of names) assert.ok(line.includes(name) && line.includes("***"), line);
  }
});

Deno.test("lineFormatter() writes an error's message and its causes'", () => {
  const error = new Error("outer", { cause: new Error("middle", { cause: new Error("inner") }) });
  assert.equal(JSON.parse(lineOf("JSON", "m", { error })).error, "outer (middle (inner))");
  assert.equal(JSON.parse(lineOf("JSON", "m", { error: new Error("only", { cause: "text" }) })).error, "only");
});

Deno.test("lineFormatter() renames properties called time, level or msg", () => {
  const { level, msg, msg_, level_ } = JSON.parse(lineOf("JSON", "said", { msg: "other", level: 3 }));
  assert.deepEqual([level, msg, msg_, level_], ["INFO", "said", "other", 3]);
});

Deno.test("lineFormatter() writes local time with its offset, or UTC", async () => {
  const program = `
    import { formatTime } from ${JSON.stringify(new URL("../../lib/log/log_format.ts", import.meta.url).href)};
    console.log(formatTime(${AT}, false), formatTime(${AT}, true));`;
  const timesIn = async (zone: string) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", program], env: { TZ: zone } }).output();
    return new TextDecoder().decode(stdout).trim().split(" ");
  };
  const [berlin, newfoundland, utc] = await Promise.all(["Europe/Berlin", "America/St_Johns", "UTC"].map(timesIn));
  assert.deepEqual(berlin, ["2024-03-01T00:59:59.007+01:00", TIME]);
  assert.deepEqual(newfoundland, ["2024-02-29T20:29:59.007-03:30", TIME]);
  assert.deepEqual(utc, ["2024-02-29T23:59:59.007+00:00", TIME]);
});
