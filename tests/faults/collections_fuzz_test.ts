/** Lives of several collections: objects, versions of CONFIG_FILE and restarts in any order, and always the right end. */
import { SEED } from "../support/fault_story.ts";
import { until } from "../support/local_servers.ts";
import { collectionsPlace } from "../support/many_collections.ts";
import { pick, seeded, shuffled } from "../support/random.ts";

const FACTOR = Number(Deno.env.get("FUZZ_FACTOR") ?? 1);
const LIVES = 60;
const STEPS = 25;

const TEAMS = ["red", "green", "blue"];
const FOLDERS = ["f1", "f2", "f3", "f4"];
const NAMES = ["a", "b", "c"];

interface Item {
  name: string;
  folder: string;
  /** Whose objects it selects. */
  teams: string[];
}

const ANCHOR: Item = { name: "anchor", folder: "anchor", teams: TEAMS };

function someItems(random: () => number): Item[] {
  const folders = shuffled(random, FOLDERS);
  const names = NAMES.filter(() => random() < 0.6);
  const teams = () => shuffled(random, TEAMS).slice(0, 1 + Math.floor(random() * TEAMS.length));
  return [ANCHOR, ...names.map((name, at) => ({ name, folder: folders[at]!, teams: teams() }))];
}

/** What changes in `notify` is not about files. */
function textOf(items: readonly Item[], random: () => number): string {
  const lines = items.map(({ name, folder, teams }) =>
    `- { name: ${name}, selector: "team in (${teams.join(",")})", resource: configmap, folder: FOLDER/${folder}, ` +
    `notify: { quietPeriod: ${pick(random, ["1s", "2s"])} } }`
  );
  return ["version: 1", "collections:", ...lines].join("\n");
}

async function oneLife(seed: number): Promise<void> {
  const random = seeded(seed);
  await using at = collectionsPlace();
  for (const folder of FOLDERS) {
    Deno.mkdirSync(`${at.path}/${folder}`);
    Deno.writeTextFileSync(`${at.path}/${folder}/foreign.txt`, "foreign");
  }
  /** Teams by the names of objects that exist. */
  const objects = new Map<string, string>();
  let items = someItems(random);
  let it = await at.start(textOf(items, random));
  it.run();
  // Time passes at any await, as it does for a real process
  let isPassing = false;
  const time = setInterval(() => {
    if (isPassing) return;
    isPassing = true;
    it.clock.advance(0.5).finally(() => isPassing = false);
  }, 2);
  const change = () => {
    const name = `object-${Math.floor(random() * 6)}`;
    if (objects.delete(name)) return at.remove(name);
    const team = pick(random, TEAMS);
    const target = pick(random, [undefined, "d", "d/e"]);
    const annotations: Record<string, string> = target === undefined ? {} : { "k8s-sidecar-target-directory": target };
    at.create(name, { [`${name}.txt`]: team }, { labels: { team }, annotations });
    objects.set(name, team);
  };
  try {
    for (let step = 0; step < STEPS; step++) {
      const dice = random();
      if (dice < 0.5) change();
      else if (dice < 0.7) await it.replace(textOf(items = someItems(random), random));
      else if (dice < 0.8) await new Promise((resolve) => setTimeout(resolve, random() * 10));
      else if (dice < 0.9) await it.clock.advance(random() * 3);
      else {
        await it[Symbol.asyncDispose]();
        if (random() < 0.5) items = someItems(random);
        it = await at.start(textOf(items, random));
        it.run();
      }
    }
    const all = [...FOLDERS, "anchor"];
    await until(() => all.every((folder) => faultIn(folder) === undefined)).catch(() => {
      const fault = all.map(faultIn).find((fault) => fault !== undefined);
      throw new Error(`life ${seed}: ${fault}\n${JSON.stringify(items)}\n${it.log.lines.slice(-25).join("\n")}`);
    });
  } finally {
    await it[Symbol.asyncDispose]();
    clearInterval(time);
  }

  function faultIn(folder: string): string | undefined {
    const item = items.find((item) => item.folder === folder);
    const own = [...objects].filter(([, team]) => item?.teams.includes(team)).map(([name, team]) => `${name}: ${team}`);
    const files = Object.entries(at.files(folder)).map(([path, text]) => `${path.replace(/.*\//, "")}: ${text}`);
    const found = files.map((file) => file.replace(".txt", "")).sort();
    const wanted = [...own, ...folder === "anchor" ? [] : ["foreign: foreign"]].sort();
    if (JSON.stringify(found) !== JSON.stringify(wanted)) return `${folder} has ${found}, not ${wanted}`;
    const directories = [...Deno.readDirSync(`${at.path}/${folder}`)].filter(({ isDirectory }) => isDirectory);
    const [empty] = directories.filter(({ name }) => isEmpty(`${at.path}/${folder}/${name}`));
    if (empty !== undefined) return `${folder}/${empty.name} is empty`;
    const records = directories.filter(({ name }) => name.startsWith("..")).length;
    return records === (item === undefined ? 0 : 1) ? undefined : `${folder} has ${records} records`;
  }
}

function isEmpty(directory: string): boolean {
  return [...Deno.readDirSync(directory)].length === 0;
}

Deno.test(`Collections end with the right files after any life (FAULTS_SEED=${SEED})`, async () => {
  for (let life = 0; life < LIVES * FACTOR; life++) await oneLife((SEED + life) >>> 0);
});
