import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { EmbeddedApiServer } from "./api_server.ts";
import { type ManifestLog, serveManifests } from "./manifests.ts";
import { CONFIG_MAPS, NAMESPACES, SECRETS } from "./resources.ts";

/** A folder that is served, and what was logged of it. */
class Folder {
  readonly lines: string[] = [];
  readonly #dir: string;
  readonly #abort = new AbortController();
  #server: EmbeddedApiServer | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get server(): EmbeddedApiServer {
    return this.#server!;
  }

  async serve(): Promise<void> {
    const log = Object.fromEntries(
      ["debug", "info", "warn", "error"].map((
        level,
      ) => [level, (message: string) => this.lines.push(`${level} ${message}`)]),
    ) as unknown as ManifestLog;
    this.#server = await serveManifests(this.#dir, { signal: this.#abort.signal, log });
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.mkdir(dirname(join(this.#dir, name)), { recursive: true });
    await Deno.writeTextFile(join(this.#dir, name), text);
  }

  /** As editors save: to another name, then over the old one. */
  async save(name: string, text: string): Promise<void> {
    await this.write(`${name}~`, text);
    await Deno.rename(join(this.#dir, `${name}~`), join(this.#dir, name));
  }

  async remove(name: string): Promise<void> {
    await Deno.remove(join(this.#dir, name), { recursive: true });
  }

  /** `NAMESPACE/NAME KEY=VALUE…` of each ConfigMap. */
  configMaps(): string[] {
    return this.server.store.list(CONFIG_MAPS.storage).map(({ metadata, data }) =>
      [`${metadata.namespace}/${metadata.name}`, ...Object.entries(data ?? {}).map((entry) => entry.join("="))].join(
        " ",
      )
    );
  }

  async until(condition: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 30_000; !condition();) {
      if (Date.now() > deadline) throw new Error(`it did not come about; ${this.configMaps()}; ${this.lines}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#server?.close();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

async function inFolder(run: (folder: Folder) => Promise<void>): Promise<void> {
  const folder = new Folder(await Deno.makeTempDir());
  try {
    await run(folder);
  } finally {
    await folder.close();
  }
}

function configMap(name: string, value: string, metadata = ""): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${metadata}data:\n  k: "${value}"\n`;
}

Deno.test("serveManifests() reads YAML and JSON, documents, lists and folders", async () => {
  await inFolder(async (folder) => {
    await folder.write(
      "a.yaml",
      `# comment\n${configMap("one", "1")}---\n---\n${configMap("two", "2", "  namespace: team\n")}`,
    );
    await folder.write(
      "deep/er/b.yml",
      `kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: three}}\n`,
    );
    const items = [{
      metadata: { name: "four", resourceVersion: "7", uid: "x", managedFields: [{}] },
      data: { k: "\t" },
    }];
    await folder.write("c.json", JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", items }, undefined, "\t"));
    await folder.write("d.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: text}\n");
    await folder.write("e.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n");
    for (const ignored of [".hidden.yaml", "..data/f.yaml", "g.yaml~", "h.yaml.swp", "i.txt"]) {
      await folder.write(ignored, configMap("ignored", ""));
    }
    await folder.serve();
    assert.deepEqual(folder.configMaps(), ["default/four k=\t", "default/one k=1", "default/three", "team/two k=2"]);
    const secret = folder.server.registry.get(SECRETS, "default", "s");
    assert.deepEqual([secret.data, secret.type], [{ k: "dGV4dA==" }, "Opaque"]);
    assert.deepEqual(folder.lines, ["debug e.yaml: skipped Deployment at e.yaml:1"]);
  });
});

Deno.test("serveManifests() follows files that change, appear and disappear", async () => {
  await inFolder(async (folder) => {
    await folder.write("a.yaml", configMap("a", "1"));
    await folder.serve();
    await folder.write("a.yaml", configMap("a", "2"));
    await folder.until(() => folder.configMaps().join() === "default/a k=2");
    await folder.save("a.yaml", configMap("a", "3"));
    await folder.until(() => folder.configMaps().join() === "default/a k=3");
    await folder.write("new/b.yaml", configMap("b", "1"));
    await folder.until(() => folder.configMaps().length === 2);
    await folder.write("new/b.yaml", configMap("c", "1"));
    await folder.until(() => folder.configMaps().join() === "default/a k=3,default/c k=1");
    await folder.remove("new");
    await folder.until(() => folder.configMaps().join() === "default/a k=3");
    await folder.remove("a.yaml");
    await folder.until(() => folder.configMaps().length === 0);
    assert.deepEqual(folder.lines, []);
  });
});

Deno.test("serveManifests() leaves unchanged objects their version, and others' objects alone", async () => {
  await inFolder(async (folder) => {
    await folder.write("a.yaml", configMap("a", "1"));
    await folder.serve();
    folder.server.registry.create(CONFIG_MAPS, "default", { metadata: { name: "other" } });
    const version = () => folder.server.registry.get(CONFIG_MAPS, "default", "a").metadata.resourceVersion;
    const before = version();
    await folder.save("a.yaml", `# a comment\n${configMap("a", "1")}---\n${configMap("b", "1")}`);
    await folder.until(() => folder.configMaps().length === 3);
    assert.equal(version(), before);
    await folder.remove("a.yaml");
    await folder.until(() => folder.configMaps().join() === "default/other");
  });
});

const BROKEN: Record<string, [text: string, error: RegExp]> = {
  "is no YAML": ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n", /^error a\.yaml:\d: Flow map/],
  "has a value that is no text": [
    `${configMap("b", "1")}---\n\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {port: 80}\n`,
    /^error a\.yaml:\d+: .*data\[port\]: expects a string, but found number/,
  ],
  "has an unknown field": [
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndta: {}\n",
    /^error a\.yaml:1: strict decoding error: unknown field "dta"/,
  ],
  "holds no object": ["\n- text\n", /^error a\.yaml:2: no Kubernetes object/],
  "names no object": ["apiVersion: v1\nkind: ConfigMap\n", /^error a\.yaml:1: the ConfigMap has no metadata\.name/],
  "refers to nothing": ["a: *b\n", /^error a\.yaml:1: Unresolved alias/],
};
for (const [what, [text, error]] of Object.entries(BROKEN)) {
  Deno.test(`serveManifests() keeps the last good objects and tells the line when a file ${what}`, async () => {
    await inFolder(async (folder) => {
      await folder.write("a.yaml", configMap("a", "1"));
      await folder.serve();
      await folder.save("a.yaml", text);
      await folder.until(() => folder.lines.length > 0);
      assert.match(folder.lines[0]!, error);
      assert.deepEqual(folder.configMaps(), ["default/a k=1"]);
      await folder.save("a.yaml", configMap("a", "2"));
      await folder.until(() => folder.configMaps().join() === "default/a k=2");
      assert.equal(folder.lines.length, 1, folder.lines.join("\n"));
    });
  });
}

Deno.test("serveManifests() serves the other objects when the API refuses one", async () => {
  await inFolder(async (folder) => {
    await folder.write("a.yaml", `${configMap("a", "1")}---\n${configMap("Bad", "1")}---\n${configMap("c", "1")}`);
    await folder.serve();
    assert.deepEqual(folder.configMaps(), ["default/a k=1", "default/c k=1"]);
    assert.match(folder.lines.join("\n"), /^error a\.yaml:8: ConfigMap "Bad" is invalid: metadata\.name.*$/);
  });
});

Deno.test("serveManifests() lets the first file win an object that two define, until it goes", async () => {
  await inFolder(async (folder) => {
    await folder.write("a.yaml", configMap("same", "first"));
    await folder.write("b.yaml", configMap("same", "second"));
    await folder.serve();
    assert.deepEqual(folder.configMaps(), ["default/same k=first"]);
    await folder.write("c.yaml", configMap("c", "1"));
    await folder.until(() => folder.configMaps().length === 2);
    assert.deepEqual(folder.lines, [
      "warn ConfigMap default/same is defined at a.yaml:1 and again at b.yaml:1: the first counts",
    ]);
    await folder.remove("a.yaml");
    await folder.until(() => folder.configMaps().includes("default/same k=second"));
  });
});

Deno.test("serveManifests() keeps a namespace as long as objects name it", async () => {
  await inFolder(async (folder) => {
    await folder.write("ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team, labels: {l: '1'}}\n");
    await folder.write("a.yaml", configMap("a", "1", "  namespace: team\n"));
    await folder.serve();
    assert.equal(folder.server.registry.get(NAMESPACES, undefined, "team").metadata.labels?.l, "1");
    await folder.remove("ns.yaml");
    await folder.write("b.yaml", configMap("b", "1", "  namespace: team\n"));
    await folder.until(() => folder.configMaps().length === 2);
    assert.deepEqual(folder.lines, []);
  });
});

Deno.test("serveManifests() makes an object again whose deletion a finalizer held up", async () => {
  await inFolder(async (folder) => {
    await folder.write("a.yaml", configMap("a", "1"));
    await folder.serve();
    const { registry } = folder.server;
    const patch = (finalizers: string[] | null) =>
      registry.patch(CONFIG_MAPS, "default", "a", "application/merge-patch+json", { metadata: { finalizers } });
    const { uid } = patch(["x.io/a"]).metadata;
    const isDeleting = () => registry.get(CONFIG_MAPS, "default", "a").metadata.deletionTimestamp !== undefined;
    await folder.remove("a.yaml");
    await folder.until(isDeleting);
    await folder.write("a.yaml", configMap("a", "2"));
    await folder.until(() => folder.lines.length > 0 || folder.configMaps().join() === "default/a k=2");
    patch(null);
    await folder.until(() => folder.configMaps().join() === "default/a k=2" && !isDeleting());
    assert.notEqual(registry.get(CONFIG_MAPS, "default", "a").metadata.uid, uid);
  });
});

Deno.test("serveManifests() says so when there is no such folder", async () => {
  const options = { signal: new AbortController().signal, log: console };
  await assert.rejects(
    serveManifests("no-such-folder", options),
    /--manifests: the folder "no-such-folder" cannot be read/,
  );
  const file = await Deno.makeTempFile();
  await assert.rejects(serveManifests(file, options), /is no folder/);
  await Deno.remove(file);
});

Deno.test("serveManifests() serves the project's examples", async () => {
  const dir = new URL("../../examples/manifests", import.meta.url).pathname;
  const abort = new AbortController();
  const lines: string[] = [];
  const log = {
    debug: console.debug,
    info: console.info,
    warn: (m: string) => lines.push(m),
    error: (m: string) => lines.push(m),
  };
  const server = await serveManifests(dir, { signal: abort.signal, log });
  try {
    const objects = [...server.store.list("configmaps"), ...server.store.list("secrets")];
    assert.ok(objects.length >= 5);
    for (const { metadata } of objects) assert.equal(metadata.labels?.["k8s-sidecar"], "demo", metadata.name);
    assert.deepEqual(lines, []);
  } finally {
    abort.abort();
    await server.close();
  }
});
