/** Several collections that come, go, move and change what they select, in a process that is killed at any moment. */
import assert from "node:assert/strict";
import { ConfigPlace, type Item } from "../e2e/collections/place.ts";
import { churns } from "../support/churn.ts";
import { filesInCluster } from "../support/cluster_files.ts";
import { faultStories, rounds } from "../support/fault_story.ts";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { pick, shuffled } from "../support/random.ts";
import type { Kind } from "../support/story.ts";

const story = faultStories();

const ROUNDS = rounds(8);

const FOLDERS = ["f1", "f2", "f3", "f4"];
const NAMES = ["a", "b", "c"];
const FOREIGN = { "foreign.txt": "foreign" };

const KINDS: Record<string, Kind[]> = {
  both: ["ConfigMap", "Secret"],
  configmap: ["ConfigMap"],
  secret: ["Secret"],
};

/** One stays as it is: it knows where the others were. */
const ANCHOR: Item = { name: "anchor", resource: "both" };

/** Any of the collections, each in a folder of its own. */
function someItems(random: () => number): Item[] {
  const folders = shuffled(random, FOLDERS);
  const names = NAMES.filter(() => random() < 0.7);
  const item = (name: string, at: number) => ({
    ...{ name, folder: folders[at]!, resource: pick(random, Object.keys(KINDS)) },
    ...{ notify: { quietPeriod: pick(random, ["1s", "2s"]) } },
  });
  return [ANCHOR, ...names.map(item)];
}

story(`Several collections are right after ${ROUNDS} rounds of reloads and kills`, async (at, random) => {
  const config = new ConfigPlace(at);
  for (const folder of FOLDERS) {
    Deno.mkdirSync(config.folder(folder));
    Deno.writeTextFileSync(`${config.folder(folder)}/foreign.txt`, "foreign", { mode: 0o644 });
  }
  const storms = churns(at, random, 2, { objects: 6, largest: 2_000 });
  let items = someItems(random);
  const change = () => {
    if (random() < 0.15) return config.writeText("version: 1\ncollections: [}");
    items = someItems(random);
    if (random() < 0.5) config.write(items);
    else config.swap(items);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const storm = new AbortController();
    const changes = Promise.all(storms.map((churn) => churn.run(Infinity, storm.signal)));
    // Also while the sidecar is down
    config.write(items = someItems(random));
    for (let kills = 1 + Math.floor(random() * 3); kills > 0; kills--) {
      const doomed = await config.start();
      await new Promise((resolve) => setTimeout(resolve, 250 + random() * 300));
      for (let count = Math.floor(random() * 3); count > 0; count--) {
        change();
        await new Promise((resolve) => setTimeout(resolve, 100 + random() * 250));
      }
      await doomed.kill9();
      config.write(items);
    }
    const survivor = await config.start();
    await new Promise((resolve) => setTimeout(resolve, 300 + random() * 300));
    config.write(items = someItems(random));
    storm.abort();
    await changes;
    try {
      await eventually(async () => {
        assertFolderEquals(config.folder("anchor"), await filesInCluster(at));
        for (const folder of FOLDERS) {
          const item = items.find((item) => item.folder === folder);
          const files = item === undefined ? {} : await filesInCluster(at, KINDS[String(item.resource)]);
          assertFolderEquals(config.folder(folder), { ...files, ...FOREIGN });
          const records = config.records(folder);
          assert.equal(
            records.length,
            item === undefined ? 0 : 1,
            `in ${folder}: ${records.flatMap((record) => treeOf(`${config.folder(folder)}/${record}`))}`,
          );
        }
      }, { timeout: 30_000, interval: 50 });
    } catch (error) {
      if (error instanceof Error) error.message = `round ${round}, ${JSON.stringify(items)}: ${error.message}`;
      throw error;
    }
    await survivor.kill9();
  }
});

/** Everything below a directory, and the start of each file. */
function treeOf(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    return isDirectory ? [`${path}/`, ...treeOf(path)] : [`${path}: ${Deno.readTextFileSync(path).slice(0, 600)}`];
  });
}
