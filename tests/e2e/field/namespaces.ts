/** Which namespaces are followed, and folders for each. */
import assert from "node:assert/strict";
import type { User } from "../../support/control_plane.ts";
import { exists } from "../../support/disk.ts";
import { assertFolderEquals, eventually } from "../../support/oracle.ts";
import type { AddStory, Story } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

/** Has no rights until a story gives it some. */
export const READER: User = { name: "reader", token: "reader-token" };

const AT_ONCE = { timeout: 5000 };

/** Makes a namespace with labels, and an object in it whose file has its name. */
async function namespaceWith(at: Story, name: string, labels: Record<string, string> = {}): Promise<string> {
  const namespace = `${at.namespace}-${name}`;
  await at.request("POST", "/api/v1/namespaces", { metadata: { name: namespace, labels } });
  await at.create("ConfigMap", name, { namespace, data: { [`${name}.txt`]: "1" } });
  return namespace;
}

async function label(at: Story, namespace: string, labels: Record<string, string | null>): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`;
  await at.request("PATCH", path, { metadata: { labels } }, "application/merge-patch+json");
}

export function tellOfNamespaces(story: AddStory): void {
  story("NAMESPACE_SELECTOR follows namespaces as their labels change", async (at) => {
    const team = { team: at.namespace };
    await at.create("ConfigMap", "own", { data: { "own.txt": "1" } });
    const a = await namespaceWith(at, "a", team);
    const b = await namespaceWith(at, "b");
    await at.startReady({ NAMESPACE_SELECTOR: `team=${at.namespace}` });
    assertFolderEquals(at.folder, { "a.txt": "1" });

    await label(at, b, team);
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1", "b.txt": "1" }), AT_ONCE);
    await at.change("ConfigMap", "b", { data: { "b.txt": "2" } }, b);
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1", "b.txt": "2" }), AT_ONCE);
    const c = await namespaceWith(at, "c", team);
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1", "b.txt": "2", "c.txt": "1" }), AT_ONCE);
    await label(at, a, { team: null });
    await label(at, c, { team: "another" });
    await eventually(() => assertFolderEquals(at.folder, { "b.txt": "2" }), AT_ONCE);
    await at.change("ConfigMap", "a", { data: { "a.txt": "3" } }, a);
    await at.change("ConfigMap", "b", { data: { "b.txt": "3" } }, b);
    await eventually(() => assertFolderEquals(at.folder, { "b.txt": "3" }), AT_ONCE);
  });

  story("NAMESPACE_SELECTOR works in every METHOD", async (at) => {
    const team = { team: at.namespace };
    const a = await namespaceWith(at, "a", team);
    const b = await namespaceWith(at, "b");
    const settings = { NAMESPACE_SELECTOR: `team in (${at.namespace})` };
    const list = await at.start({ METHOD: "LIST", ...settings });
    assert.equal((await list.exited()).code, 0);
    assertFolderEquals(at.folder, { "a.txt": "1" });
    await label(at, a, { team: null });
    await label(at, b, team);
    await at.startReady({ METHOD: "SLEEP", SLEEP_TIME: "0.2", ...settings });
    assertFolderEquals(at.folder, { "b.txt": "1" });
    await label(at, a, team);
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1", "b.txt": "1" }), AT_ONCE);
  });

  story("NAMESPACE_SELECTOR that matches nothing is ready", async (at) => {
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    await at.startReady({ NAMESPACE_SELECTOR: "nobody=has-it" });
    assertFolderEquals(at.folder, {});
    await label(at, at.namespace, { nobody: "has-it" });
    await eventually(() => assertFolderEquals(at.folder, { "a.txt": "1" }), AT_ONCE);
    await label(at, at.namespace, { nobody: null });
  });

  story("NAMESPACE_EXCLUDE leaves namespaces out by pattern", async (at) => {
    await at.create("ConfigMap", "own", { data: { "own.txt": "1" } });
    await at.create("ConfigMap", "system", { namespace: "kube-system", data: { "system.txt": "1" } });
    await namespaceWith(at, "test-a");
    await namespaceWith(at, "prod");
    const exclude = `kube-*, ${at.namespace}-test-*`;
    await at.startReady({ NAMESPACE_EXCLUDE: exclude });
    assertFolderEquals(at.folder, { "own.txt": "1", "prod.txt": "1" });
    const later = await namespaceWith(at, "test-b");
    await at.change("ConfigMap", "test-b", { data: { "test-b.txt": "2" } }, later);
    await namespaceWith(at, "later");
    await eventually(
      () => assertFolderEquals(at.folder, { "own.txt": "1", "prod.txt": "1", "later.txt": "1" }),
      AT_ONCE,
    );

    const folder = `${at.folder}-list`;
    const settings = { NAMESPACE_EXCLUDE: `${exclude},${at.namespace}`, METHOD: "LIST", FOLDER: folder };
    assert.equal((await (await at.start(settings)).exited()).code, 0);
    assertFolderEquals(folder, { "prod.txt": "1", "later.txt": "1" });
  });

  story("NAMESPACE_EXCLUDE and NAMESPACE_SELECTOR go together", async (at) => {
    const team = { team: at.namespace };
    await namespaceWith(at, "a", team);
    await namespaceWith(at, "b", team);
    await at.startReady({ NAMESPACE_SELECTOR: `team=${at.namespace}`, NAMESPACE_EXCLUDE: "*-b" });
    assertFolderEquals(at.folder, { "a.txt": "1" });
  });

  story("Namespace that is excluded anew loses its files at the next start", async (at) => {
    await at.create("ConfigMap", "own", { data: { "own.txt": "1" } });
    await namespaceWith(at, "a");
    // The record on disk belongs to one selection
    const settings = { STATE_FILE: `${at.dir}/record` };
    await (await at.startReady(settings)).stop();
    assertFolderEquals(at.folder, { "own.txt": "1", "a.txt": "1" });
    await at.startReady({ ...settings, NAMESPACE_EXCLUDE: "*-a" });
    await eventually(() => assertFolderEquals(at.folder, { "own.txt": "1" }), AT_ONCE);
  });

  story("NAMESPACE_SELECTOR without the right to namespaces removes nothing", async (at) => {
    await at.create("ConfigMap", "own", { data: { "own.txt": "1" } });
    // The record on disk belongs to one selection
    const settings = { STATE_FILE: `${at.dir}/record` };
    await (await at.startReady(settings)).stop();
    await at.delete("ConfigMap", "own");
    await at.allow(READER.name, { resources: ["configmaps", "secrets"] });
    const account = await at.serviceAccount(READER.token);
    const sidecar = await at.start({ ...settings, ...account, NAMESPACE_SELECTOR: "team" });
    await sidecar.logged(/not allowed to (list|watch) namespaces/);
    assertFolderEquals(at.folder, { "own.txt": "1" });
    assert.equal((await sidecar.health("/readyz")).status, 503);
    assert.equal((await sidecar.health("/livez")).status, 200);
    const list = await at.start({ ...settings, ...account, NAMESPACE_SELECTOR: "team", METHOD: "LIST" });
    assert.equal((await list.exited()).code, 3);
    assertFolderEquals(at.folder, { "own.txt": "1" });
  });

  story("FOLDER_PER_NAMESPACE has a folder for each namespace", async (at) => {
    const other = await at.makeNamespace(`${at.namespace}-other`);
    const own = at.namespace;
    await at.create("ConfigMap", "a", { data: { "same.txt": "own" } });
    await at.create("ConfigMap", "a", { data: { "same.txt": "other" }, namespace: other });
    const inFolder = (folder: string) => ({ [ANNOTATION]: folder });
    await at.create("Secret", "b", { data: { "b.txt": "1" }, annotations: inFolder("team/x") });
    await at.create("ConfigMap", "c", { data: { "c.txt": "1" }, annotations: inFolder(`${at.folder}/shared`) });
    const sidecar = await at.startReady({ FOLDER_PER_NAMESPACE: "true" });
    const files = {
      [`${own}/same.txt`]: "own",
      [`${other}/same.txt`]: "other",
      [`${own}/team/x/b.txt`]: "1",
      "shared/c.txt": "1",
    };
    assertFolderEquals(at.folder, files);
    assert.deepEqual(sidecar.lines.filter(({ level }) => level === "WARN"), []);
    await at.change("Secret", "b", { annotations: { [ANNOTATION]: null } });
    await at.delete("ConfigMap", "a", other);
    const { [`${own}/team/x/b.txt`]: _, [`${other}/same.txt`]: __, ...rest } = files;
    await eventually(() => assertFolderEquals(at.folder, { ...rest, [`${own}/b.txt`]: "1" }), AT_ONCE);
    assert.ok(!exists(`${at.folder}/${other}`));
  });
}
