/** What the platform puts into the environment, and what people set (row 7 of the field cases, and its kind). */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Settings, Story } from "../../support/story.ts";

const SERVICE_LINK = "tcp://10.96.12.34:80";

function warnings(sidecar: SidecarProcess, part: string | RegExp): string[] {
  return sidecar.findAll(part).filter(({ level }) => level === "WARN").map(({ msg }) => msg);
}

/** Lists once; passes when that ends with 0 and with these files. */
async function lists(at: Story, settings: Settings, files: Record<string, string>): Promise<SidecarProcess> {
  const folder = await Deno.makeTempDir({ dir: at.dir });
  const account = await at.serviceAccount();
  const sidecar = await at.start({ METHOD: "LIST", ...account, ...settings, FOLDER: folder });
  assert.equal((await sidecar.exited()).code, 0, sidecar.tail());
  assertFolderEquals(folder, files);
  return sidecar;
}

/** The faults of a start that ends with code 2, and of nothing else. */
async function refused(at: Story, settings: Settings): Promise<string> {
  const sidecar = await at.start(settings);
  assert.equal((await sidecar.exited()).code, 2, sidecar.tail());
  return sidecar.lines.map(({ text }) => text).join("\n");
}

export function tellOfEnvironment(story: AddStory): void {
  story("HEALTH_PORT that is a service link is one warning", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ HEALTH_PORT: SERVICE_LINK });
    // The default may be somebody else's here, which is another warning
    assert.equal(warnings(sidecar, /^HEALTH_PORT=/).length, 1, sidecar.tail());
    assert.ok(sidecar.find(/\b8080\b/), sidecar.tail());
    assertFolderEquals(at.folder, { "a.txt": "1" });
  });

  story("Service links in any setting count as unset", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const names = [
      ...["NAMESPACE", "RESOURCE", "LABEL_VALUE", "SLEEP_TIME", "WATCH_SERVER_TIMEOUT", "WATCH_CLIENT_TIMEOUT"],
      ...[
        "REQ_TIMEOUT",
        "REQ_METHOD",
        "REQ_USERNAME",
        "SCRIPT",
        "HEALTH_HOST",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "KUBECONFIG",
      ],
      ...["STATE_FILE", "DEFAULT_FILE_MODE", "FOLDER_ANNOTATION", "DEFAULTS", "LOG_CONFIG", "NETRC", "ALLOWED_FOLDERS"],
    ];
    for (const link of [SERVICE_LINK, "udp://10.96.12.34:53", "sctp://[fd00::1]:9999"]) {
      const sidecar = await lists(at, Object.fromEntries(names.map((name) => [name, link])), { "a.txt": "1" });
      for (const name of names) {
        assert.equal(warnings(sidecar, new RegExp(`\\b${name}\\b`)).length, 1, `${name}=${link}\n${sidecar.tail()}`);
      }
    }
  });

  story("METHOD that is a service link watches", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ METHOD: SERVICE_LINK });
    assert.equal(warnings(sidecar, /\bMETHOD\b/).length, 1);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "2" }));
  });

  story("Service link for a URL or a required setting is a fault", async (at) => {
    assert.match(await refused(at, { REQ_URL: SERVICE_LINK }), /REQ_URL/);
    const text = await refused(at, { FOLDER: SERVICE_LINK, LABEL: SERVICE_LINK });
    assert.match(text, /FOLDER/);
    assert.match(text, /LABEL/);
  });

  story("NAMESPACE with ALL among others is ALL", async (at) => {
    const other = await at.makeNamespace(`${at.namespace}-other`);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" }, namespace: other });
    for (const namespaces of ["ALL,x", `${at.namespace}, ALL`]) {
      const sidecar = await lists(at, { NAMESPACE: namespaces }, { "a.txt": "1", "b.txt": "1" });
      assert.equal(warnings(sidecar, /\bNAMESPACE\b/).length, 1);
    }
  });

  story("DEFAULT_FILE_MODE may be written as 0o640", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await at.startReady({ DEFAULT_FILE_MODE: "0o640" });
    assertFolderEquals(at.folder, { "a.txt": "1" }, { mode: 0o640 });
  });

  story("DEFAULTS=kiwigrid watches with any other METHOD", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const sidecar = await at.startReady({ DEFAULTS: "kiwigrid", METHOD: "WATCH_FOREVER", UNIQUE_FILENAMES: "1" });
    for (const name of ["METHOD", "UNIQUE_FILENAMES"]) assert.equal(warnings(sidecar, name).length, 1, name);
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "2" }));
    assert.match(await refused(at, { METHOD: "WATCH_FOREVER" }), /METHOD/);
  });

  story("KUBECONFIG that is not there gives way to a service account", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const file = `${at.dir}/not-there`;
    const sidecar = await lists(at, { KUBECONFIG: `${file}:${file}-either` }, { "a.txt": "1" });
    assert.equal(warnings(sidecar, "KUBECONFIG").length, 1);
  });

  story("Selector that ends in a key goes together with LABEL_VALUE", async (at) => {
    const labelled = (value: string, app = "x") => ({ [at.label]: value, app });
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" }, labels: labelled("1") });
    await at.create("ConfigMap", "b", { data: { "b.txt": "1" }, labels: labelled("2") });
    await at.create("ConfigMap", "c", { data: { "c.txt": "1" }, labels: labelled("1", "y") });
    await lists(at, { LABEL: `app in (x,z),${at.label}`, LABEL_VALUE: "1" }, { "a.txt": "1" });
  });

  story("Misspelt name is a warning that names the right one", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const slips = { NAMESPACES: "x", RESOURSE: "secret", LABLE_VALUE: "none", SLEEP_TIMEE: "1", REQ_ULR: "http://x" };
    const right = ["NAMESPACE", "RESOURCE", "LABEL_VALUE", "SLEEP_TIME", "REQ_URL"];
    const sidecar = await lists(at, slips, { "a.txt": "1" });
    for (const [index, slip] of Object.keys(slips).entries()) {
      const [warning = "", ...more] = warnings(sidecar, new RegExp(`\\b${slip}\\b`));
      assert.match(warning, new RegExp(`\\b${right[index]}\\b`), `${slip}\n${sidecar.tail()}`);
      assert.deepEqual(more, []);
    }
    assert.match(await refused(at, { LABEL: undefined, LABLE: "x" }), /LABLE/);
  });

  story("HEALTH_HOST that is nobody's is one warning", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    for (const host of ["192.0.2.1", "no-such-host.invalid"]) {
      const folder = await Deno.makeTempDir({ dir: at.dir });
      const sidecar = await at.startReady({ HEALTH_HOST: host, FOLDER: folder });
      assertFolderEquals(folder, { "a.txt": "1" });
      assert.equal(sidecar.lines.filter(({ level }) => level === "WARN").length, 1, sidecar.tail());
    }
  });
}
