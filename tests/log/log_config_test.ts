import assert from "node:assert/strict";
import { LogConfigError, parseLogConfig, readLogConfig } from "../../lib/log/log_config.ts";
import { tempFolder } from "../support/disk.ts";

/** As the Jenkins chart 5.x writes it, rendered with both outputs on. */
const JENKINS = `
version: 1
disable_existing_loggers: false
root:
  level: INFO
  handlers:
    - console
    - file
handlers:
  console:
    class: logging.StreamHandler
    level: INFO
    formatter: JSON
  file:
    class : logging.handlers.RotatingFileHandler
    formatter: LOGFMT
    filename: /var/jenkins_home/auto-reload-logs/file.log
    maxBytes: 1.048576e+06
    backupCount: 3
formatters:
  JSON:
    "()": logger.JsonFormatter
    format: "%(levelname)s %(message)s"
    rename_fields:
      message: msg
      levelname: level
  LOGFMT:
    "()": logger.LogfmtFormatter
    keys:
      - time
      - level
      - msg
    mapping:
      time: asctime
      level: levelname
      msg: message
`;

async function read(text: string) {
  using folder = tempFolder();
  await Deno.writeTextFile(`${folder.path}/log.yaml`, text);
  return await readLogConfig(`${folder.path}/log.yaml`);
}

/** A file that is right, but for what is given. */
function configWith(changes: Record<string, unknown>): Record<string, unknown> {
  return {
    version: 1,
    root: { level: "INFO", handlers: ["h"] },
    handlers: { h: { class: "logging.StreamHandler" } },
    ...changes,
  };
}

function handlerWith(changes: Record<string, unknown>): Record<string, unknown> {
  const file = { class: "logging.handlers.RotatingFileHandler", filename: "/log" };
  return configWith({ handlers: { h: { ...file, ...changes } } });
}

Deno.test("readLogConfig() understands the file that the Jenkins chart writes", async () => {
  assert.deepEqual(await read(JENKINS), {
    level: "INFO",
    outputs: [
      { to: "stderr", format: "JSON", level: "INFO" },
      {
        to: "file",
        path: "/var/jenkins_home/auto-reload-logs/file.log",
        maxBytes: 1_048_576,
        backupCount: 3,
        format: "LOGFMT",
      },
    ],
  });
});

Deno.test("readLogConfig() understands that file with both outputs off", async () => {
  const text = "version: 1\nroot:\n  level: DEBUG\n  handlers:\nhandlers:\nformatters:\n";
  assert.deepEqual(await read(text), { level: "DEBUG", outputs: [] });
});

Deno.test("readLogConfig() understands JSON", async () => {
  const { level } = await read(JSON.stringify(configWith({ root: { level: "error" } })));
  assert.equal(level, "ERROR");
});

Deno.test("parseLogConfig() has Python's defaults: level WARNING, stderr, no rotation", () => {
  assert.deepEqual(parseLogConfig(configWith({ root: { handlers: ["h"] } })), {
    level: "WARN",
    outputs: [{ to: "stderr", format: "TEXT" }],
  });
  assert.deepEqual(parseLogConfig(handlerWith({})).outputs, [
    { to: "file", path: "/log", maxBytes: 0, backupCount: 0, format: "TEXT" },
  ]);
});

Deno.test("parseLogConfig() understands a handler's stream", () => {
  const streamOf = (stream: string) =>
    parseLogConfig(configWith({ handlers: { h: { class: "logging.StreamHandler", stream } } })).outputs[0]?.to;
  assert.deepEqual([streamOf("ext://sys.stdout"), streamOf("ext://sys.stderr")], ["stdout", "stderr"]);
});

Deno.test("parseLogConfig() names the place of everything that it does not support", () => {
  const formatter = (changes: object) => configWith({ formatters: { f: changes } });
  const cases: [document: unknown, message: RegExp][] = [
    [null, /^the file: a mapping is required$/],
    [[], /^the file: a mapping is required$/],
    [configWith({ version: 2 }), /^version: expected 1, not 2$/],
    [configWith({ loggers: {}, filters: {} }), /^the file: loggers, filters is not supported$/],
    [configWith({ incremental: true }), /^the file: incremental is not supported$/],
    [configWith({ root: undefined }), /^root: a mapping is required$/],
    [configWith({ root: { propagate: true } }), /^root: propagate is not supported$/],
    [configWith({ root: { level: "TRACE" } }), /^root\.level: expected .*, not "TRACE"$/],
    [configWith({ root: { handlers: "h" } }), /^root\.handlers: expected a list of names$/],
    [configWith({ root: { handlers: ["other"] } }), /^handlers\.other: a mapping is required$/],
    [configWith({ handlers: { h: { class: "logging.FileHandler" } } }), /^handlers\.h\.class: .*, not "logging.File/],
    [configWith({ handlers: { h: {} } }), /^handlers\.h\.class: expected logging\.StreamHandler or /],
    [configWith({ handlers: { h: { class: "logging.StreamHandler", filters: [] } } }), /^handlers\.h: filters is not/],
    [configWith({ handlers: { h: { class: "logging.StreamHandler", stream: "x" } } }), /^handlers\.h\.stream: /],
    [configWith({ handlers: { h: { class: "logging.StreamHandler", formatter: "f" } } }), /no formatter "f"$/],
    [handlerWith({ filename: "" }), /^handlers\.h\.filename: a path is required$/],
    [handlerWith({ maxBytes: "1 MB" }), /^handlers\.h\.maxBytes: expected a whole number$/],
    [handlerWith({ backupCount: -1 }), /^handlers\.h\.backupCount: expected a whole number$/],
    [handlerWith({ level: 17 }), /^handlers\.h\.level: expected .*, not 17$/],
    [handlerWith({ delay: true }), /^handlers\.h: delay is not supported$/],
    [formatter({ format: "%(message)s" }), /^formatters\.f: accepted as "\(\)" is logger\.JsonFormatter or /],
    [formatter({ "()": "my.Formatter" }), /^formatters\.f: accepted as "\(\)" is /],
    [formatter({ "()": "logger.JsonFormatter", style: "{" }), /^formatters\.f: style is not supported$/],
  ];
  for (const [document, message] of cases) {
    assert.throws(() => parseLogConfig(document), (error) => {
      assert.ok(error instanceof LogConfigError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("readLogConfig() says that a file is not there, or not YAML", async () => {
  await assert.rejects(readLogConfig("/nowhere/log.yaml"), { name: "LogConfigError", message: /^cannot be read: ./ });
  await assert.rejects(read("a: [b"), { name: "LogConfigError", message: /^is not YAML: ./ });
});
