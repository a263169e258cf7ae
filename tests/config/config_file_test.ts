import assert from "node:assert/strict";
import fc from "fast-check";
import { type Collection, collectionOf } from "../../lib/config/collection_settings.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { type ConfigFileOptions, parseConfigFile } from "../../lib/config/config_file.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { tempFolder } from "../support/disk.ts";

const FILES = ["/there"];

function parse(text: string, options: Partial<ConfigFileOptions> = {}) {
  return parseConfigFile(text, { path: "config.yaml", env: {}, isFile: (path) => FILES.includes(path), ...options });
}

/** The faults of a text, without the name of the file. */
function faultsIn(text: string, options: Partial<ConfigFileOptions> = {}): string[] {
  return parse(text, options).faults.map(({ message }) => message.replace("config.yaml:", ""));
}

/** A file with one collection: `lines` begin in line 3. */
function fileOf(...lines: string[]): string {
  return ["version: 1", "collections:", "- name: a", ...lines.map((line) => `  ${line}`)].join("\n");
}

function only(text: string, options: Partial<ConfigFileOptions> = {}): Collection {
  const { collections: [collection], faults } = parse(text, options);
  assert.deepEqual(faults, []);
  return collection!;
}

const COMPLETE = ["label: app", "folder: /files"];

Deno.test("parseConfigFile() gives a collection the defaults of the environment", () => {
  const collection = only(fileOf(...COMPLETE));
  const { values } = readSettings({ LABEL: "app", FOLDER: "/files" });
  assert.deepEqual(collection, { ...collectionOf(values, {}, {}), name: "a" });
});

Deno.test("parseConfigFile() puts every key in its place", () => {
  const text = fileOf(
    'label: "app"',
    'labelValue: "1"',
    "resource: secret",
    "namespaces: [x, y]",
    'namespaceExclude: ["kube-*"]',
    "folder: /files",
    "folderAnnotation: dir",
    "folderPerNamespace: true",
    "allowedFolders: [/x, /y z]",
    'fileMode: "0600"',
    "uniqueFilenames: true",
    "collisions: newest",
    "removeDelay: 1m30s",
    "atomicWrites: false",
    "decompress: true",
    "maxFilesPerObject: 7",
    "stateFile: /state",
    "sharedFolder: true",
    "onRemove: keep",
    "urls: { maxBytes: 1Ki, maxBytesPerObject: 2Ki, maxBytesTotal: 0, accept5xx: true, allowedHosts: [a.b], timeout: 500ms, maxOpen: 2, netrc: /netrc }",
    "notify:",
    "  quietPeriod: 1.5s",
    "  maxWait: 1h",
    "  onFirstSync: false",
    "  script: { path: /script, timeout: 2s }",
    "  webhook:",
    "    url: http://localhost/reload",
    "    method: POST",
    "    payload: { a: [1, true] }",
    "    headers: { X-A: b, X-E: { env: HEADER }, X-F: { file: /there } }",
    "    basicAuth: { username: me, password: { file: /there }, encoding: utf-8 }",
    "    bearer: { env: TOKEN }",
    "    timeout: 3s",
    "    retry: { total: 1, connect: 2, read: 3, backoffFactor: 0.5 }",
    "    tls: { skipVerify: true, caFile: /ca }",
  );
  assert.deepEqual(only(text, { env: { HEADER: "e", TOKEN: "t" } }), {
    name: "a",
    onRemove: "keep",
    sharedFolder: true,
    selection: {
      labelSelector: "app=1",
      names: [],
      kinds: ["Secret"],
      namespaces: ["x", "y"],
      namespaceExclude: ["kube-*"],
    },
    files: {
      folder: "/files",
      folderAnnotation: "dir",
      allowedFolders: ["/x", "/y z"],
      allowsVolume: false,
      folderPerNamespace: true,
      collisions: "newest",
      removeDelay: 90,
      atomicWrites: false,
      decompress: true,
      mode: 0o600,
      uniqueFilenames: true,
      maxFilesPerObject: 7,
      stateFile: "/state",
      urlMaxBytes: 1024,
      urlMaxBytesPerObject: 2048,
      urlMaxBytesTotal: Infinity,
      enable5xx: true,
    },
    notification: {
      quietPeriod: 1.5,
      maxWait: 3600,
      skipInit: true,
      webhook: { url: "http://localhost/reload", method: "POST", payload: '{"a":[1,true]}' },
      script: { path: "/script", timeout: 2 },
    },
    requests: {
      retry: { total: 1, connect: 2, read: 3, backoffFactor: 0.5 },
      timeout: 3,
      username: "me",
      passwordFile: "/there",
      encoding: "utf-8",
      token: "t",
      headers: { "X-A": "b", "X-E": "e" },
      headerFiles: { "X-F": "/there" },
      caFiles: ["/ca"],
      netrc: "/netrc",
      skipTlsVerify: true,
      urlAllowedHosts: ["a.b"],
      urlTimeout: 0.5,
      urlMaxOpen: 2,
    },
  });
});

Deno.test("parseConfigFile() selects by selector, by names, and among all or the own namespaces", () => {
  const selectionOf = (...lines: string[]) => only(fileOf("folder: /f", ...lines)).selection;
  assert.equal(selectionOf('selector: "a in (b,c),!d"').labelSelector, "a in (b,c),!d");
  const { labelSelector, names } = selectionOf("names: [configmap/flags, x/secret/tls]");
  assert.deepEqual([labelSelector, names], [undefined, [
    { name: "flags", kind: "ConfigMap" },
    { name: "tls", kind: "Secret", namespace: "x" },
  ]]);
  assert.equal(selectionOf("label: a").namespaces, "ALL");
  assert.equal(selectionOf("label: a", "namespaces: OWN").namespaces, "OWN");
  assert.equal(selectionOf("label: a", "namespaceSelector: team=a").namespaceSelector, "team=a");
});

Deno.test("parseConfigFile() follows DEFAULTS=kiwigrid of the environment", () => {
  const env = { DEFAULTS: "kiwigrid" };
  const { selection, files } = only(fileOf(...COMPLETE), { env });
  assert.deepEqual(
    [selection.namespaces, selection.kinds, files.collisions, files.allowsVolume],
    ["OWN", ["ConfigMap"], "newest", true],
  );
  assert.deepEqual(faultsIn(fileOf(...COMPLETE, "namespaceSelector: team=a"), { env }), [
    "6:3  collections[0].namespaceSelector  expected namespaces: ALL beside it",
  ]);
});

Deno.test("parseConfigFile() merges defaults key by key, and the own value wins", () => {
  const { collections, faults } = parse(
    `
version: 1
defaults:
  label: common
  labelValue: "1"
  fileMode: "0600"
  namespaces: [x]
  notify:
    maxWait: 9s
    webhook:
      method: POST
      payload: { a: 1 }
      headers: { X-A: a, X-B: b }
      basicAuth: { username: me, password: { env: PASSWORD } }
collections:
- { name: plain, folder: /plain }
- name: own
  folder: /own
  selector: team=a
  namespaceSelector: team=a
  fileMode: "0640"
  notify:
    webhook:
      url: http://localhost/
      payload: { b: 2 }
      headers: { X-B: c }
      basicAuth: { password: { file: /there } }
`,
    { env: { PASSWORD: "p" } },
  );
  assert.deepEqual(faults, []);
  const [plain, own] = collections;
  assert.equal(plain?.selection.labelSelector, "common=1");
  assert.equal(plain?.notification.webhook, undefined);
  assert.deepEqual([plain?.files.mode, own?.files.mode], [0o600, 0o640]);
  assert.deepEqual([own?.selection.labelSelector, own?.selection.namespaces], ["team=a", "ALL"]);
  assert.deepEqual(own?.notification.webhook, { url: "http://localhost/", method: "POST", payload: '{"b":2}' });
  assert.equal(own?.notification.maxWait, 9);
  assert.deepEqual(own?.requests.headers, { "X-A": "a", "X-B": "c" });
  const { username, password, passwordFile } = own!.requests;
  assert.deepEqual([username, password, passwordFile], ["me", undefined, "/there"]);
});

Deno.test("parseConfigFile() merges keys of defaults into another selection, if they go together", () => {
  const selectionOf = (defaults: string, own: string, env = {}) => {
    const text = `version: 1\ndefaults: { ${defaults} }\ncollections: [{ name: a, folder: /a, ${own} }]`;
    const { labelSelector, namespaces, namespaceSelector } = only(text, { env }).selection;
    return [labelSelector, namespaces, namespaceSelector];
  };
  assert.deepEqual(selectionOf('labelValue: "1"', "label: app"), ["app=1", "ALL", undefined]);
  assert.deepEqual(selectionOf('label: all, labelValue: "1"', "label: app"), ["app=1", "ALL", undefined]);
  assert.deepEqual(selectionOf('label: all, labelValue: "1"', "selector: a=b"), ["a=b", "ALL", undefined]);
  assert.deepEqual(selectionOf("namespaceSelector: x=y", "label: app, namespaces: [a]"), ["app", ["a"], undefined]);
  assert.deepEqual(
    selectionOf("namespaces: ALL", "label: app, namespaceSelector: x=y", { DEFAULTS: "kiwigrid" }),
    ["app", "ALL", "x=y"],
  );
});

Deno.test("parseConfigFile() refuses keys of defaults that do not go together", () => {
  const text = (defaults: string, more = "label: app") =>
    `version: 1\ndefaults: { ${defaults} }\ncollections: [{ name: a, folder: /a, ${more} }]`;
  assert.deepEqual(faultsIn(text("label: a, selector: b=c")), [
    "2:23  defaults.selector  does not go with label: expected one of the two",
  ]);
  assert.deepEqual(faultsIn(text("selector: b=c", 'labelValue: "1"')), [
    "3:38  collections[0].labelValue  does not go with the selector of defaults: label is missing",
  ]);
});

Deno.test("parseConfigFile() reads JSON, anchors and merge keys", () => {
  const json = { version: 1, collections: [{ name: "a", label: "app", folder: "/files" }] };
  assert.deepEqual(only(JSON.stringify(json)), only(fileOf(...COMPLETE)));
  const { collections, faults } = parse(`
version: 1
collections:
- &first { name: a, label: app, folder: /a, fileMode: "0600" }
- { <<: *first, name: b, folder: /b }
`);
  assert.deepEqual(faults, []);
  assert.deepEqual(collections.map(({ name, files }) => [name, files.folder, files.mode]), [
    ["a", "/a", 0o600],
    ["b", "/b", 0o600],
  ]);
});

/** A line of a collection that is otherwise complete, and the fault with its column in line 6. */
const WRONG_VALUES: [line: string, fault: string][] = [
  [
    "fileMode: 0944",
    '13  fileMode  0944: expected three or four octal digits, such as "0644"; put it in quotes: "0944"',
  ],
  ['fileMode: "0944"', '13  fileMode  "0944": expected three or four octal digits, such as "0644"'],
  [
    "labelValue: 1",
    '15  labelValue  1: expected a label value: at most 63 letters, digits, -, _ and .; put it in quotes: "1"',
  ],
  ["resource: Secret", '13  resource  "Secret": expected configmap, secret or both'],
  ["namespaces: a", '15  namespaces  "a": expected ALL, OWN or a list of namespaces'],
  [
    "namespaces: [a, ALL]",
    '19  namespaces[1]  "ALL": expected the name of a namespace (ALL and OWN stand alone: namespaces: ALL)',
  ],
  ["uniqueFilenames: yes", '20  uniqueFilenames  "yes": expected true or false'],
  [
    "removeDelay: 10",
    "16  removeDelay  10: expected a duration from 0 s to 2000000 s with its unit, such as 500ms, 10s or 1m30s",
  ],
  [
    "urls: { timeout: 0s }",
    '20  urls.timeout  "0s": expected a duration from 0.1 s to 2000000 s with its unit, such as 500ms, 10s or 1m30s',
  ],
  [
    "urls: { maxBytes: 64MB }",
    '21  urls.maxBytes  "64MB": expected a number of bytes from 1, such as 65536, 64Ki, 64Mi or 1Gi',
  ],
  ["urls: { maxOpen: 0 }", "20  urls.maxOpen  0: expected a whole number from 1 to 1000000"],
  ["urls: 5", "9  urls  5: expected a map"],
  ["urls:", "8  urls  no value: expected a map"],
  ["allowedFolders: [/a, b]", '24  allowedFolders[1]  "b": expected absolute paths'],
  ["allowedFolders: []", "19  allowedFolders  a list: expected a list: absolute paths"],
  ["filemode: x", "3  filemode  unknown key: did you mean fileMode?"],
  ["FOLDER_ANNOTATION: x", "3  FOLDER_ANNOTATION  unknown key: did you mean folderAnnotation?"],
  ["REQ_URL: x", "3  REQ_URL  unknown key: REQ_URL is notify.webhook.url in this file"],
  ["url: x", "3  url  unknown key: did you mean notify.webhook.url?"],
  ["METHOD: LIST", "3  METHOD  concerns the whole process and stays in the environment: METHOD"],
  ["logLevel: DEBUG", "3  logLevel  concerns the whole process and stays in the environment: LOG_LEVEL"],
  ["stateFile: x", '14  stateFile  "x": expected an absolute path, or none'],
  ["selector: a=b", "3  selector  does not go with label: expected one of the two"],
  ["folder: /b", "3  folder  the key is also in line 5"],
  ["notify: { script: {} }", "21  notify.script.path  is required"],
  ["notify: { webhook: { method: GET } }", "22  notify.webhook.url  is required: the URL to call"],
  [
    'notify: { webhook: { url: "ftp://me:secret@x/?token=secret" } }',
    '29  notify.webhook.url  "ftp://***@x/?token=***": expected an http:// or https:// URL without user name and password',
  ],
];

for (const [line, fault] of WRONG_VALUES) {
  Deno.test(`parseConfigFile() refuses ${line}`, () => {
    const expected = `6:${fault.replace("  ", "  collections[0].")}`;
    assert.deepEqual(faultsIn(fileOf(...COMPLETE, line)), [expected]);
  });
}

Deno.test("parseConfigFile() takes secrets from the environment or a file only", () => {
  const webhook = (line: string) => fileOf(...COMPLETE, "notify:", "  webhook:", "    url: http://x/", `    ${line}`);
  const faults = (line: string) => faultsIn(webhook(line)).map((fault) => fault.replace(/^\S+ {2}\S+ {2}/, ""));
  const never = "(value not shown): expected { env: NAME } or { file: /path }, never the secret itself";
  for (const literal of ["hunter2", "5555"]) {
    assert.deepEqual(faults(`basicAuth: { username: me, password: ${literal} }`), [never]);
    assert.deepEqual(faults(`bearer: ${literal}`), [never]);
  }
  assert.deepEqual(faults("bearer: { env: NONE }"), ["the environment variable NONE is not set"]);
  assert.deepEqual(faults("bearer: { file: token }"), ['"token": expected an absolute path']);
  assert.deepEqual(faults("bearer: { env: A, file: /b }"), ["expected either { env: NAME } or { file: /path }"]);
  assert.deepEqual(faults("basicAuth: { username: me }"), ["is required"]);
  assert.deepEqual(faults("headers: { X-A: 5 }"), [
    "(value not shown): expected text in quotes, { env: NAME } or { file: /path }",
  ]);
  assert.deepEqual(faultsIn(webhook("bearer: { env: TOKEN }"), { env: { TOKEN: "a b" } }).length, 1);
  assert.deepEqual(
    faultsIn(fileOf(...COMPLETE, 'notify: { webhook: { url: "http://me:hunter2@x/" } }')),
    [
      '6:29  collections[0].notify.webhook.url  "http://***@x/": expected an http:// or https:// URL without user name and password',
    ],
  );
  assert.deepEqual(faults("bearer: { env: constructor }"), ["the environment variable constructor is not set"]);
  const { faults: none, warnings } = parse(webhook("bearer: { file: /nowhere }"));
  assert.deepEqual([none, warnings], [[], [
    'config.yaml:9:23  collections[0].notify.webhook.bearer.file  "/nowhere" does not exist yet: it is read at each use',
  ]]);
});

Deno.test("parseConfigFile() reports all faults at once, in the order of the text", () => {
  const text = `
version: 2
defaults:
  name: x
  resource: none
collection: []
collections:
- label: app
  folder: relative
- { name: Bad, label: "a=b", folder: /b }
- { name: c, folder: /c }
- { name: c, label: app }
- text
`;
  assert.deepEqual(
    faultsIn(text).map((fault) => fault.replace(/: expected .*/, "")),
    [
      "2:10  version  2",
      "4:3  defaults.name  each collection has a name of its own",
      '5:13  defaults.resource  "none"',
      "6:1  collection  unknown key: did you mean collections?",
      "8:3  collections[0].name  is required: the name in logs, metrics and the record of the files",
      '9:11  collections[0].folder  "relative"',
      '10:11  collections[1].name  "Bad"',
      '10:23  collections[1].label  "a=b"',
      "11:3  collections[2]  selects nothing: label, selector or names is required",
      "12:3  collections[3].folder  is required: the folder that files are written to",
      '12:11  collections[3].name  "c" is also the name in line 11',
      '13:3  collections[4]  "text"',
    ],
  );
});

for (
  const [what, text, fault] of [
    ["an empty file", "# nothing\n", "1:1  the file is empty: expected version: 1 and collections"],
    ["a tab", "version: 1\ncollections:\n\t- a\n", "3:1  not valid YAML: Tabs are not allowed as indentation"],
    ["an open quote", 'version: "secret', "1:17  not valid YAML: Missing closing"],
    ["a second document", `${fileOf(...COMPLETE)}\n---\na: 1\n`, "6:1  a second document: expected only one"],
    ["a tag", "version: !secret 1\n", "1:10  not valid YAML: Unresolved tag: !secret"],
    ["an alias without anchor", "version: *x\n", "1:10  *x has no anchor before it"],
    ["an alias of itself", "version: &x [*x]\n", "1:14  *x has no anchor before it"],
    ["too large a file", `# ${"x".repeat(2 ** 20)}`, "1:1  the file is larger than 1 MiB"],
    ["a list", "- a\n", "1:1  a list: expected a map with version and collections"],
  ] as const
) {
  Deno.test(`parseConfigFile() refuses ${what}`, () => {
    assert.ok(
      faultsIn(text).some((line) => line.startsWith(fault)),
      faultsIn(text).join("\n"),
    );
    assert.deepEqual(parse(text).collections, []);
  });
}

Deno.test("parseConfigFile() refuses deep nesting", () => {
  assert.match(faultsIn("[".repeat(100_000)).join(), /nested too deeply/);
});

Deno.test("parseConfigFile() takes at most 1000 collections", () => {
  const text = (count: number) => {
    const collections = Array.from({ length: count }, (_, at) => ({ name: `c${at}`, label: "a", folder: `/f/${at}` }));
    return JSON.stringify({ version: 1, collections });
  };
  assert.equal(parse(text(1000)).collections.length, 1000);
  assert.deepEqual(faultsIn(text(1001)), ["1:28  collections  1001 items: expected at most 1000"]);
});

Deno.test("parseConfigFile() refuses aliases that stand for billions of values", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++) {
    lines.push(`a${level}: &a${level} [${Array(10).fill(`*a${level - 1}`).join(", ")}]`);
  }
  assert.match(faultsIn(lines.join("\n")).join(), /more than 100000 values/);
});

Deno.test("parseConfigFile() refuses folders that overlap, unless the files are kept apart", () => {
  const two = (folder: string, more = "", moreOfFirst = more) =>
    faultsIn(`
version: 1
collections:
- { name: a, label: app, folder: /x/y${moreOfFirst} }
- { name: b, label: app, folder: ${folder}${more} }
`);
  const remedy = "expected uniqueFilenames: true or sharedFolder: true in both, or another folder";
  const place = "5:34  collections[1].folder ";
  assert.deepEqual(two("/x/y"), [`${place} is the same folder as that of the collection "a": ${remedy}`]);
  assert.deepEqual(two("/x/./z/../y/"), [`${place} is the same folder as that of the collection "a": ${remedy}`]);
  assert.deepEqual(two("/x/y/z"), [`${place} is inside that of the collection "a": ${remedy}`]);
  assert.deepEqual(two("/x"), [`${place} contains that of the collection "a": ${remedy}`]);
  assert.deepEqual(two("/x/yz"), []);
  for (const apart of [", uniqueFilenames: true", ", sharedFolder: true"]) {
    assert.deepEqual(two("/x/y", apart), []);
    assert.equal(two("/x/y", apart, "").length, 1);
  }
  assert.equal(two("/z", ", stateFile: /state").length, 1);
});

Deno.test("parseConfigFile() sees folders that overlap by a symlink", () => {
  using temp = tempFolder();
  Deno.mkdirSync(`${temp.path}/real/sub`, { recursive: true });
  Deno.symlinkSync("real", `${temp.path}/link`);
  const reasons = (folder: string, more: string) =>
    faultsIn(`
version: 1
collections:
- { name: a, label: app, folder: ${temp.path}/real/sub${more} }
- { name: b, label: app, folder: ${temp.path}/${folder}${more} }
`).map((fault) => /folder {2}(.*?)( that of|,)/.exec(fault)?.[1]);
  assert.deepEqual(reasons("link/sub", ""), ["is the same folder as"]);
  assert.deepEqual(reasons("link/sub/not/there", ""), ["is inside"]);
  assert.deepEqual(reasons("link", ""), ["contains"]);
  assert.deepEqual(reasons("link/other", ""), []);
  assert.deepEqual(reasons("link/sub", ", uniqueFilenames: true"), []);
  assert.deepEqual(reasons("link/sub", ", sharedFolder: true"), []);
  assert.deepEqual(reasons("real/sub", ", sharedFolder: true"), []);
});

Deno.test("parseConfigFile() calls folders that overlap by a symlink by one name", () => {
  using temp = tempFolder();
  Deno.mkdirSync(`${temp.path}/real/sub`, { recursive: true });
  Deno.symlinkSync("real", `${temp.path}/link`);
  const text = `version: 1
collections:
- { name: a, label: app, folder: ${temp.path}/link/sub, sharedFolder: true }
- { name: b, label: app, folder: ${temp.path}/real, sharedFolder: true }
- { name: c, label: app, folder: ${temp.path}/alone }
`;
  const { collections, faults } = parseConfigFile(text, { path: "config.yaml", env: {} });
  assert.deepEqual(faults, []);
  const real = Deno.realPathSync(temp.path);
  assert.deepEqual(collections.map(({ files }) => files.folder), [
    `${real}/real/sub`,
    `${real}/real`,
    `${temp.path}/alone`,
  ]);
});

Deno.test("parseConfigFile() compares with the collection of the environment", () => {
  const [environment] = parseConfig({ LABEL: "app", FOLDER: "/files" }).config.collections;
  const overlapping = faultsIn(fileOf(...COMPLETE), { environment });
  assert.deepEqual(overlapping, [
    '5:11  collections[0].folder  is the same folder as that of the collection "default": ' +
    "expected uniqueFilenames: true here and UNIQUE_FILENAMES=true, or another folder",
  ]);
  const named = "version: 1\ncollections: [{ name: default, label: app, folder: /other }]";
  assert.deepEqual(faultsIn(named, { environment }), [
    '2:23  collections[0].name  "default" is the collection that LABEL and FOLDER make: expected another name',
  ]);
  assert.deepEqual(faultsIn(named), []);
});

Deno.test("parseConfigFile() never throws, and gives collections or faults", () => {
  const example = Deno.readTextFileSync(new URL("../../examples/config.yaml", import.meta.url));
  const pieces = fc.constantFrom(
    ...":{}[]&*!|>\"'%@`#-\n\t ,?",
    "<<: *a",
    "&a ",
    "__proto__: 1",
    "\0",
    "null",
    "- ",
    "---\n",
  );
  const edits = fc.array(fc.tuple(fc.nat(example.length), fc.nat(40), pieces), { minLength: 1, maxLength: 4 });
  const edited = edits.map((list) =>
    list.reduce((text, [at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length), example)
  );
  fc.assert(
    fc.property(fc.oneof(edited, fc.string({ unit: "binary" })), (text) => {
      const { collections, faults } = parse(text, { env: { REQ_USERNAME: "u", REQ_PASSWORD: "p" } });
      assert.equal(collections.length > 0, faults.length === 0);
      for (const { message, line, column } of faults) {
        assert.ok(message.startsWith(`config.yaml:${line}:${column}  `), message);
        assert.ok(line > 0 && column > 0 && message.length < 1000, message);
      }
    }),
    { numRuns: 150, seed: 20261125 },
  );
});

Deno.test("parseConfigFile() warns of settings that no collection uses", () => {
  const text = fileOf(...COMPLETE, "notify: { webhook: { url: http://x/, bearer: { env: REQ_PASSWORD } } }");
  const env = { REQ_URL: "http://y/", REQ_PASSWORD: "x", METHOD: "LIST" };
  assert.deepEqual(parse(text, { env }).warnings, [
    "REQ_URL has no effect without LABEL and FOLDER: in CONFIG_FILE it is notify.webhook.url of a collection or of defaults",
  ]);
  const [environment] = parseConfig({ LABEL: "app", FOLDER: "/other" }).config.collections;
  assert.deepEqual(parse(text, { env, environment }).warnings, []);
});

Deno.test("parseConfigFile() warns of a payload that a GET does not send, and of removeDelay with FINALIZERS", () => {
  const text = fileOf(...COMPLETE, "removeDelay: 1s", "notify: { webhook: { url: http://x/, payload: 1 } }");
  assert.deepEqual(parse(text, { env: { FINALIZERS: "true" } }).warnings.map((line) => line.split("  ")[1]), [
    "collections[0].notify.webhook.payload",
    "collections[0].removeDelay",
  ]);
});
