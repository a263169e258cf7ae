import assert from "node:assert/strict";
import type { Body } from "../../lib/files/body.ts";
import { resolvePath } from "../../lib/files/paths.ts";
import { type Content, project, type ProjectionSettings } from "../../lib/files/projection.ts";
import type { Kind } from "../../lib/objects/kind.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import { encode } from "../support/local_servers.ts";
import { base64, configMap, secret } from "../support/objects.ts";
import { forSeeds, pick } from "../support/random.ts";

const ANNOTATION = "k8s-sidecar-target-directory";
const SETTINGS: ProjectionSettings = {
  folder: "/data",
  folderAnnotation: ANNOTATION,
  allowedFolders: [],
  uniqueFilenames: false,
  maxFilesPerObject: 5000,
  folderPerNamespace: false,
  decompress: false,
};

/** As `project()`, with the bytes of each body read out. */
function projected(object: KubeObject, settings: Partial<ProjectionSettings> = {}) {
  const { files, refusals } = project(object.kind as Kind, object, { ...SETTINGS, ...settings });
  return { files: files.map((file) => ({ ...file, content: readOut(file.content) })), refusals };
}

function readOut(content: Content) {
  if (!("body" in content)) return content;
  const { body, ...rest } = content;
  return { ...rest, bytes: bytesOf(body) };
}

function bytesOf(body: Body): Uint8Array {
  return new Uint8Array(Array.from(body(), (piece) => [...piece]).flat());
}

/** Path to content. */
function contents(object: KubeObject, settings?: Partial<ProjectionSettings>) {
  return Object.fromEntries(projected(object, settings).files.map(({ path, content }) => [path, content]));
}

function paths(object: KubeObject, settings?: Partial<ProjectionSettings>): string[] {
  return projected(object, settings).files.map(({ path }) => path);
}

const NOT_TEXT = Uint8Array.from({ length: 256 }, (_, byte) => byte);

for (
  const [what, object, bytes] of [
    ["text", configMap("a", { k: "Grüße 🎉\r\n\tend " }), encode("Grüße 🎉\r\n\tend ")],
    ["empty text", configMap("a", { k: "" }), new Uint8Array()],
    ["1 MiB of text", configMap("a", { k: "ä".repeat(524_288) }), encode("ä".repeat(524_288))],
    ["binaryData", configMap("a", {}, { binaryData: { k: base64(NOT_TEXT) } }), NOT_TEXT],
    ["empty binaryData", configMap("a", {}, { binaryData: { k: "" } }), new Uint8Array()],
    ["a Secret", secret("a", { k: NOT_TEXT }), NOT_TEXT],
    ["1 MiB of a Secret", secret("a", { k: new Uint8Array(1_048_576).fill(255) }), new Uint8Array(1_048_576).fill(255)],
    ["an empty Secret", secret("a", { k: "" }), new Uint8Array()],
    ["base64 in lines", configMap("a", {}, { binaryData: { k: "AAEC\nAwQ=\n" } }), Uint8Array.of(0, 1, 2, 3, 4)],
  ] as const
) {
  Deno.test(`project() takes ${what} over byte for byte`, () => {
    const { files, refusals } = projected(object);
    assert.deepEqual(files, [{ path: "/data/k", key: "k", content: { bytes } }]);
    assert.deepEqual(refusals, []);
  });
}

Deno.test("project() takes every character that a key may have", () => {
  const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const keys = [
    allowed,
    ...[...allowed].map((character) => `${character}x`),
    "-",
    "_",
    "..2026",
    "...",
    "x".repeat(253),
  ];
  const object = configMap("a", Object.fromEntries(keys.map((key) => [key, key])));
  assert.deepEqual(
    contents(object),
    Object.fromEntries(keys.map((key) => [`/data/${key}`, { bytes: encode(key) }])),
  );
});

Deno.test("project() takes 2,000 keys", () => {
  const keys = Array.from({ length: 2000 }, (_, index) => `key-${index}`);
  const object = configMap("a", Object.fromEntries(keys.map((key) => [key, key])));
  assert.deepEqual(paths(object), keys.map((key) => `/data/${key}`));
});

Deno.test("project() wants nothing of an object without data", () => {
  for (const object of [configMap("a"), secret("a"), { ...configMap("a"), data: null, binaryData: null }]) {
    assert.deepEqual(projected(object), { files: [], refusals: [] });
  }
});

for (
  const key of [
    ...["", ".", "..", "/", "a/b", "../a", "/etc/passwd", "a b", "ä", "a\0b", "a\n", "a\\b", "a:b"],
    ...["..k8s-sidecar-0123456789", "..k8s-sidecar-x"],
    ...[".url", "..url", "...url", "../a.url", "..k8s-sidecar-x.url"],
  ]
) {
  Deno.test(`project() refuses the key ${JSON.stringify(key).slice(0, 40)}, and no other`, () => {
    const { files, refusals } = projected(configMap("a", { [key]: "http://x/", good: "good" }));
    assert.deepEqual(files.map(({ path }) => path), ["/data/good"]);
    assert.deepEqual(refusals, [`key ${JSON.stringify(key)} cannot be a file name`]);
  });
}

Deno.test("project() refuses a name that is too long for a file", () => {
  const long = "x".repeat(250);
  assert.deepEqual(projected(configMap("a", { [long]: "" })).refusals, []);
  const { files, refusals } = projected(configMap("a", { [long]: "" }), { uniqueFilenames: true });
  assert.deepEqual(files, []);
  assert.match(refusals.join(), /^key "x+" cannot be a file name: namespace_.*… has 280 characters, more than 255$/);
});

Deno.test("project() takes no name for a file that Linux would not", () => {
  const name = "n".repeat(200);
  const prefix = `namespace_default.configmap_${name}.`;
  for (const [length, expected] of [[255, 1], [256, 0]] as const) {
    const object = configMap(name, { ["k".repeat(length - prefix.length)]: "v" });
    assert.equal(paths(object, { uniqueFilenames: true }).length, expected);
  }
});

Deno.test("project() refuses a key whose value is not base64", () => {
  for (const bad of ["*", "YQ=", "YQ==YQ==", "Y", "ä", "data:text/plain;base64,YQ=="]) {
    const data = { bad, good: base64("good") };
    for (const object of [{ ...secret("a"), data }, { ...configMap("a"), binaryData: data }]) {
      const { files, refusals } = projected(object);
      assert.deepEqual(files, [
        { path: "/data/bad", key: "bad", content: { broken: 'key "bad" is not base64' } },
        { path: "/data/good", key: "good", content: { bytes: encode("good") } },
      ]);
      assert.deepEqual(refusals, ['key "bad" is not base64']);
    }
  }
});

Deno.test("project() refuses a key whose value is not text", () => {
  for (const value of [null, 1, true, {}, []]) {
    const data = { bad: value as unknown as string, good: base64("good") };
    for (const kind of ["ConfigMap", "Secret"]) {
      const { files, refusals } = projected({ ...configMap("a", data), kind });
      assert.deepEqual(files.map(({ content }) => Object.keys(content)), [["broken"], ["bytes"]]);
      assert.deepEqual(refusals, ['key "bad" is not text']);
    }
  }
});

Deno.test("project() follows the annotation inside the folder and ALLOWED_FOLDERS", () => {
  const table: [annotation: string, folder: string][] = [
    ["", "/data"],
    [".", "/data"],
    ["/", "refused"],
    ["team", "/data/team"],
    ["./team//sub/", "/data/team/sub"],
    ["team/../other", "/data/other"],
    ["team/..", "/data"],
    ["..", "refused"],
    ["../data/team", "/data/team"],
    ["../database", "refused"],
    ["team/../../etc", "refused"],
    ["../../../../../etc", "refused"],
    ["/data/team", "/data/team"],
    ["/data", "/data"],
    ["/data2", "refused"],
    ["/etc", "refused"],
    ["/extra", "/extra"],
    ["/extra/sub", "/extra/sub"],
    ["/extra/../etc", "refused"],
    ["/extrapolated", "refused"],
    ["../extra/sub", "/extra/sub"],
    [" team", "/data/ team"],
    ["~root", "/data/~root"],
    ["Grüße 🎉", "/data/Grüße 🎉"],
    ["a\0b", "refused"],
    ["a\nb", "refused"],
    ["a\x7fb", "refused"],
    ["x".repeat(10_240), "refused"],
    ["x/".repeat(5_120), "refused"],
    ["x".repeat(255), `/data/${"x".repeat(255)}`],
    ["ä".repeat(127), `/data/${"ä".repeat(127)}`],
    ["ä".repeat(128), "refused"],
    ["..k8s-sidecar-0123456789", "refused"],
    ["team/..k8s-sidecar-x/sub", "refused"],
  ];
  for (const [annotation, folder] of table) {
    const object = configMap("a", { k: "v" }, { annotations: { [ANNOTATION]: annotation } });
    const { files, refusals } = projected(object, { allowedFolders: ["/extra"] });
    const shown = JSON.stringify(annotation).slice(0, 50);
    assert.deepEqual(files.map(({ path }) => path), folder === "refused" ? [] : [`${folder}/k`], shown);
    assert.equal(refusals.length, folder === "refused" ? 1 : 0, shown);
  }
});

Deno.test("project() names the annotation it refuses, in one short line", () => {
  const refusal = (annotation: string, allowedFolders: string[] = []) =>
    projected(configMap("a", { k: "v" }, { annotations: { [ANNOTATION]: annotation } }), { allowedFolders })
      .refusals[0];
  assert.equal(
    refusal("/etc"),
    `annotation ${ANNOTATION}="/etc" points outside /data (set ALLOWED_FOLDERS to allow others)`,
  );
  assert.equal(
    refusal("/etc", ["/b", "/c"]),
    `annotation ${ANNOTATION}="/etc" points outside /data, /b, /c (set ALLOWED_FOLDERS to allow others)`,
  );
  assert.equal(refusal("a\nb"), `annotation ${ANNOTATION}="a\\nb" has control characters`);
  assert.equal(
    refusal("x".repeat(10_240)),
    `annotation ${ANNOTATION}="${"x".repeat(100)}…" makes a path that is too long`,
  );
  const deep = (depth: number) => Array.from({ length: depth }, () => "a").join("/");
  assert.equal(refusal(deep(50)), undefined);
  assert.equal(refusal(deep(51)), `annotation ${ANNOTATION}="${deep(51).slice(0, 100)}…" has more than 50 directories`);
  assert.equal(refusal(`/data/b/${deep(50)}`, ["/data/b"]), undefined);
});

Deno.test("project() reads the annotation that FOLDER_ANNOTATION names, and no other", () => {
  const annotations = { [ANNOTATION]: "standard", "example.com/dir": "own" };
  const object = configMap("a", { k: "v" }, { annotations });
  assert.deepEqual(paths(object, { folderAnnotation: "example.com/dir" }), ["/data/own/k"]);
});

Deno.test("project() gives each object names of its own with UNIQUE_FILENAMES", () => {
  const unique = { uniqueFilenames: true };
  const extras = { namespace: "team", annotations: { [ANNOTATION]: "sub" } };
  assert.deepEqual(paths(configMap("a.b", { "k.json": "" }, extras), unique), [
    "/data/sub/namespace_team.configmap_a.b.k.json",
  ]);
  assert.deepEqual(paths(secret("s", { k: "", "u.url": "http://x/" }), unique), [
    "/data/namespace_default.secret_s.k",
    "/data/namespace_default.secret_s.u",
  ]);
});

Deno.test("project() reads the URL of a .url key, text or base64", () => {
  const url = { url: "http://example.com/a?b=c" };
  const text = " http://example.com/a?b=c\n";
  assert.deepEqual(contents(configMap("a", { "k.json.url": text }, { binaryData: { "b.url": base64(text) } })), {
    "/data/k.json": url,
    "/data/b": url,
  });
  assert.deepEqual(contents(secret("a", { "k.url": text, "k.url.url": text })), { "/data/k": url, "/data/k.url": url });
  assert.deepEqual(contents({ ...secret("a"), data: { "k.url": "*" } }), {
    "/data/k": { broken: 'key "k.url" is not base64' },
  });
  assert.deepEqual(contents(configMap("a", { "k.URL": "text", "kurl": "text" })), {
    "/data/k.URL": { bytes: encode("text") },
    "/data/kurl": { bytes: encode("text") },
  });
});

for (
  const text of [
    "jdbc:postgresql://db:5432/app",
    "ftp://example.com/a",
    "http://",
    "https://[broken/",
    "see http://example.com/",
    "http://example.com/\nhttp://example.org/",
    "",
  ]
) {
  Deno.test(`project() takes a .url key with ${JSON.stringify(text)} for a plain file`, () => {
    for (const object of [configMap("a", { "datasource.url": text }), secret("a", { "datasource.url": text })]) {
      assert.deepEqual(projected(object), {
        files: [{ path: "/data/datasource.url", key: "datasource.url", content: { bytes: encode(text) } }],
        refusals: [],
      });
    }
  });
}

Deno.test("project() prefers a plain .url file to a URL that wants its path", () => {
  for (const keys of [["k.url", "k.url.url"], ["k.url.url", "k.url"]]) {
    const data = Object.fromEntries(keys.map((key) => [key, key === "k.url" ? "jdbc:x" : "http://x/"]));
    assert.deepEqual(contents(configMap("a", data)), { "/data/k.url": { bytes: encode("jdbc:x") } });
  }
});

Deno.test("project() takes .gz keys for archives with DECOMPRESS", () => {
  const archive = Uint8Array.of(31, 139);
  const object = secret("a", { "dash.json.gz": archive, "far.json.gz.url": "https://x/far", "x.gz.txt": "text" });
  assert.deepEqual(contents(object, { decompress: true }), {
    "/data/dash.json": { bytes: archive, isGzip: true },
    "/data/far.json": { url: "https://x/far", isGzip: true },
    "/data/x.gz.txt": { bytes: encode("text") },
  });
  assert.deepEqual(contents(object), {
    "/data/dash.json.gz": { bytes: archive },
    "/data/far.json.gz": { url: "https://x/far" },
    "/data/x.gz.txt": { bytes: encode("text") },
  });
});

Deno.test("project() prefers the plain key, then the archive, then the URL", () => {
  const all = { "k.gz.url": "http://x/", "k.url": "http://y/", "k.gz": "archive", k: "plain" };
  const winner = (...keys: (keyof typeof all)[]) =>
    projected(configMap("a", Object.fromEntries(keys.map((key) => [key, all[key]]))), { decompress: true }).files
      .map(({ key }) => key);
  assert.deepEqual(winner("k.gz.url", "k.url", "k.gz", "k"), ["k"]);
  assert.deepEqual(winner("k.gz.url", "k.url", "k.gz"), ["k.gz"]);
  assert.deepEqual(winner("k.url", "k.gz"), ["k.gz"]);
  assert.deepEqual(projected({ ...secret("a"), data: { "k.gz": "*" } }, { decompress: true }), {
    files: [{ path: "/data/k", key: "k.gz", content: { broken: 'key "k.gz" is not base64' } }],
    refusals: ['key "k.gz" is not base64'],
  });
});

Deno.test("project() gives each namespace a folder with FOLDER_PER_NAMESPACE", () => {
  const target = (annotation?: string, namespace = "team") => {
    const annotations: Record<string, string> = annotation === undefined ? {} : { [ANNOTATION]: annotation };
    const { files, refusals } = projected(configMap("a", { k: "v" }, { namespace, annotations }), {
      folderPerNamespace: true,
      allowedFolders: ["/extra"],
    });
    return files[0]?.path ?? refusals[0];
  };
  assert.equal(target(), "/data/team/k");
  assert.equal(target("sub/dir"), "/data/team/sub/dir/k");
  assert.equal(target("../team/sub"), "/data/team/sub/k");
  assert.equal(target("/extra/sub"), "/extra/sub/k");
  assert.equal(target("/data/shared"), "/data/shared/k");
  for (const outside of ["../other", "..", "../team2", "sub/../../other"]) {
    assert.match(target(outside)!, /points outside \/data\/team, .*FOLDER_PER_NAMESPACE/, outside);
  }
  for (const namespace of ["..", "a/b", "", "a.b", "..k8s-sidecar-x"]) {
    assert.match(target(undefined, namespace)!, /^namespace .* cannot be a folder/, namespace);
  }
});

Deno.test("project() prefers the object's content to a URL's", () => {
  const bytes = { "/data/k": { bytes: encode("here") } };
  assert.deepEqual(contents(configMap("a", { "k.url": "http://x/", k: "here" })), bytes);
  assert.deepEqual(projected({ ...secret("a"), data: { "k.url": "*", k: base64("here") } }).refusals, []);
  assert.deepEqual(contents(configMap("a", { "k.url": "http://x/" }, { binaryData: { k: base64("here") } })), bytes);
});

Deno.test("project() never throws and leaves no allowed folder", () => {
  const allowed = ["/data", "/extra"];
  const parts = [
    "..",
    ".",
    "/",
    "//",
    "a",
    "data",
    "extra",
    "\0",
    "\n",
    "ä",
    ".url",
    "..k8s-sidecar-",
    "\ud800",
    " ",
    ".gz",
    "http://",
  ];
  forSeeds(2000, (random) => {
    const word = () => Array.from({ length: Math.floor(random() * 6) }, () => pick(random, parts)).join("");
    const object = configMap(
      "a",
      { [word()]: word(), [word()]: pick(random, [null, word()]) as string },
      { annotations: { [ANNOTATION]: word() }, binaryData: { [word()]: word() } },
    );
    for (
      const path of paths({ ...object, kind: pick(random, ["ConfigMap", "Secret"]) }, {
        allowedFolders: ["/extra"],
        folderPerNamespace: random() < 0.5,
        decompress: random() < 0.5,
      })
    ) {
      assert.equal(resolvePath("/", path), path);
      assert.ok(allowed.some((folder) => path.startsWith(`${folder}/`)), path);
      assert.doesNotMatch(path, /\/\.\.k8s-sidecar-|[\0\n]/);
    }
  });
});

Deno.test("project() refuses an object with more keys than MAX_FILES_PER_OBJECT", () => {
  const object = { ...configMap("a", { x: "1", y: "2" }), binaryData: { z: "" } };
  assert.equal(projected(object, { maxFilesPerObject: 3 }).files.length, 3);
  const { files, refusals } = projected(object, { maxFilesPerObject: 2 });
  assert.deepEqual([files, refusals], [[], ["it has 3 keys (MAX_FILES_PER_OBJECT=2)"]]);
});
