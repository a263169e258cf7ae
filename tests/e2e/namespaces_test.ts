/** Namespaces that are selected by their labels, or left out. */
import assert from "node:assert/strict";
import { NOBODY } from "../support/control_plane.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { stories, type Story } from "../support/story.ts";

const story = stories();

/** Makes a namespace with these labels, and a ConfigMap in it whose file has the namespace's name. */
async function makeNamespace(at: Story, suffix: string, labels: Record<string, string> = {}): Promise<string> {
  const name = `${at.namespace}-${suffix}`;
  await at.request("POST", "/api/v1/namespaces", { metadata: { name, labels } });
  await at.create("ConfigMap", "a", { namespace: name, data: { [suffix]: "1" } });
  return name;
}

async function label(at: Story, namespace: string, labels: Record<string, string | null>): Promise<void> {
  const type = "application/merge-patch+json";
  await at.request("PATCH", `/api/v1/namespaces/${namespace}`, { metadata: { labels } }, type);
}

function selector(at: Story): Record<string, string> {
  return { NAMESPACE: "ALL", NAMESPACE_SELECTOR: `team=${at.namespace}` };
}

async function finalizers(at: Story, namespace: string): Promise<string[]> {
  const { body } = await at.request("GET", `/api/v1/namespaces/${namespace}/configmaps/a`);
  return body.metadata.finalizers ?? [];
}

story("NAMESPACE_SELECTOR follows namespaces as they come, go and change", async (at) => {
  const team = { team: at.namespace };
  const first = await makeNamespace(at, "first", team);
  const second = await makeNamespace(at, "second");
  const sidecar = await at.startReady(selector(at));
  assertFolderEquals(at.folder, { first: "1" });
  await at.change("ConfigMap", "a", { data: { second: "2" } }, second);
  await label(at, second, team);
  await eventually(() => assertFolderEquals(at.folder, { first: "1", second: "2" }));
  await makeNamespace(at, "third", team);
  await eventually(() => assertFolderEquals(at.folder, { first: "1", second: "2", third: "1" }));
  await label(at, first, { team: null });
  await eventually(() => assertFolderEquals(at.folder, { second: "2", third: "1" }));
  await at.create("Secret", "b", { namespace: second, data: { b: "1" } });
  await at.delete("ConfigMap", "a", second);
  await eventually(() => assertFolderEquals(at.folder, { b: "1", third: "1" }));
  await sidecar.stop();

  await label(at, first, team);
  await label(at, second, { team: "another" });
  await at.startReady(selector(at));
  assertFolderEquals(at.folder, { first: "1", third: "1" });
});

story("without rights on namespaces nothing is removed, and readiness says what is missing", async (at) => {
  await makeNamespace(at, "first", { team: at.namespace });
  const settings = { ...selector(at), METHOD: "LIST" };
  assert.equal((await (await at.start(settings)).exited()).code, 0);
  const nobody = await at.serviceAccount(NOBODY.token);
  const list = await at.start({ ...settings, ...nobody });
  assert.equal((await list.exited()).code, 3);
  assert.match(list.find("incomplete: ")?.msg ?? "", /not allowed to list namespaces .* by a ClusterRole/);
  assert.equal(list.findAll("again in").length, 0);
  const sidecar = await at.start({ ...selector(at), ...nobody });
  await sidecar.logged(/not allowed to (list|watch) namespaces/);
  const { status, text } = await sidecar.health("/readyz");
  assert.equal(status, 503);
  assert.match(text, /not allowed to (list|watch) namespaces with labels team=/);
  assertFolderEquals(at.folder, { first: "1" });
});

story("METHOD=SLEEP lists the selected namespaces again and again", async (at) => {
  const team = { team: at.namespace };
  const first = await makeNamespace(at, "first", team);
  await makeNamespace(at, "second");
  await at.startReady({ ...selector(at), METHOD: "SLEEP", SLEEP_TIME: "0.3" });
  assertFolderEquals(at.folder, { first: "1" });
  await label(at, first, { team: null });
  await makeNamespace(at, "third", team);
  await eventually(() => assertFolderEquals(at.folder, { third: "1" }));
});

story("NAMESPACE_EXCLUDE leaves namespaces out, of ALL and of a list", async (at) => {
  const [first, second] = [await makeNamespace(at, "first"), await makeNamespace(at, "second")];
  const list = async (settings: Record<string, string>) => {
    const sidecar = await at.start({ METHOD: "LIST", ...settings });
    assert.equal((await sidecar.exited()).code, 0);
  };
  await list({ NAMESPACE_EXCLUDE: `${at.namespace}-f*,nosuch` });
  assertFolderEquals(at.folder, { second: "1" });
  const folder = `${at.folder}-2`;
  await list({ NAMESPACE: `${first},${second}`, NAMESPACE_EXCLUDE: "*-second", FOLDER: folder });
  assertFolderEquals(folder, { first: "1" });
});

story("FINALIZERS goes to objects of selected namespaces alone", async (at) => {
  const team = { team: at.namespace };
  const first = await makeNamespace(at, "first", team);
  const second = await makeNamespace(at, "second");
  await at.startReady({ ...selector(at), FINALIZERS: "true" });
  assert.deepEqual([(await finalizers(at, first)).length, (await finalizers(at, second)).length], [1, 0]);
  await label(at, second, team);
  await label(at, first, { team: null });
  await eventually(async () => {
    assertFolderEquals(at.folder, { second: "1" });
    assert.deepEqual([(await finalizers(at, first)).length, (await finalizers(at, second)).length], [0, 1]);
  });
  await at.delete("ConfigMap", "a", second);
  await eventually(() => assertFolderEquals(at.folder, {}));
  await eventually(() => assert.rejects(finalizers(at, second)));
});
