import assert from "node:assert/strict";
import {
  absolutePath,
  boolean,
  bytes,
  count,
  countFromOne,
  factor,
  fileMode,
  httpUrl,
  listOf,
  oneOf,
  port,
  seconds,
  type SettingType,
  text,
  wholeSeconds,
} from "../../lib/config/setting_types.ts";

const word = oneOf(["LIST", "WATCH"], { "old-list": "LIST" });
const list = listOf("lower case words", (item) => /^[a-z]+$/.test(item));

const understood: [type: SettingType<unknown>, text: string, value: unknown][] = [
  [text, " as it is ", " as it is "],
  [boolean, "true", true],
  [boolean, "TRUE", true],
  [boolean, " False\n", false],
  [seconds(), "0", 0],
  [seconds(), "1.5", 1.5],
  [seconds(), " 60 ", 60],
  [seconds(), "2000000", 2_000_000],
  [seconds({ min: 0.1 }), "0.1", 0.1],
  [wholeSeconds, "1", 1],
  [countFromOne, "1", 1],
  [count, "0", 0],
  [count, "007", 7],
  [count, "1000000", 1_000_000],
  [factor, "0", 0],
  [factor, "1.1", 1.1],
  [port, "1", 1],
  [port, "65535", 65535],
  [bytes, "1", 1],
  [bytes, "10Ki", 10_240],
  [bytes, "64Mi", 67_108_864],
  [bytes, "2Gi", 2_147_483_648],
  [fileMode, "644", 0o644],
  [fileMode, "0600", 0o600],
  [fileMode, "0o640", 0o640],
  [fileMode, " 0O0640 ", 0o640],
  [fileMode, "1777", 0o1777],
  [fileMode, "000", 0],
  [word, "watch", "WATCH"],
  [word, " List ", "LIST"],
  [word, "OLD-list", "LIST"],
  [list, "a,b", ["a", "b"]],
  [list, " a , ,b,a,", ["a", "b"]],
  [httpUrl, "http://localhost:3000/a?b=c", "http://localhost:3000/a?b=c"],
  [httpUrl, " HTTPS://example.test ", "HTTPS://example.test"],
  [absolutePath, "/", "/"],
  [absolutePath, "/with blank", "/with blank"],
];

const refused: [type: SettingType<unknown>, ...texts: string[]][] = [
  [boolean, "yes", "1", "0", "on", "truee", " "],
  [seconds(), "-1", "1e3", "1s", "0x10", ".5", "5.", "1,5", "Infinity", "NaN", "2000000.1", " "],
  [seconds({ min: 0.1 }), "0", "0.09"],
  [wholeSeconds, "0", "1.5", "2000001", "-1"],
  [countFromOne, "0", "-1", "1.0", "1000001"],
  [count, "-1", "1.0", "1000001", "five"],
  [factor, "-1", "1000.1", "1e2"],
  [port, "0", "65536", "80.5", "http"],
  [bytes, "0", "0Ki", "-1", "1.5Mi", "10 Ki", "10KB", "10mi", "99999999999999999999", "9007199254740992Ki"],
  [fileMode, "64", "00644", "648", "rw-r--r--", "0o64", "0o00644", "0x1a4", "-644"],
  [word, "watcher", "", "LIST WATCH"],
  [list, "a,B", "a b", " , ", ","],
  [httpUrl, "localhost:3000", "ftp://example.test", "//example.test", "http://", "/path", "http://a b"],
  [absolutePath, "relative", "./a", "~/a", " /a", "/a\0b"],
];

Deno.test("parse() understands each form of a value", () => {
  for (const [type, given, value] of understood) {
    assert.deepEqual(type.parse(given), value, `${type.accepts}: ${given}`);
  }
});

Deno.test("parse() is undefined for what is not the form in full", () => {
  for (const [type, ...texts] of refused) {
    for (const given of texts) assert.equal(type.parse(given), undefined, `${type.accepts}: ${JSON.stringify(given)}`);
  }
});

Deno.test("accepts says in words what is accepted", () => {
  assert.equal(word.accepts, "LIST or WATCH");
  assert.equal(oneOf(["a", "b", "c"]).accepts, "a, b or c");
  assert.equal(list.accepts, "lower case words, separated by commas");
  assert.equal(seconds({ min: 0.1 }).accepts, "a number of seconds from 0.1 to 2000000");
});
