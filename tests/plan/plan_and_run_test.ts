/** A plan says exactly what the METHOD=LIST run after it does, whatever the world is like, and changes nothing itself. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { changesBetween, plannedChanges, plannedWorld, treeOf } from "../support/planned_world.ts";
import { pick, seeded, shuffled } from "../support/random.ts";

const WORLDS = 60;
const ROUNDS = 5;

type World = ReturnType<typeof plannedWorld>;

const NAMESPACES = ["a", "b", "c"];
const NAMES = ["one", "two", "three"];
const KEYS = ["x.json", "y.json", "sub", "z.gz", "x.json.gz"];
const FOLDERS = [undefined, undefined, "sub", "sub/deep", "../out", "/elsewhere", "link", "x.json", "nowhere", "kept"];
const CONTENTS = ["one", "two", ""];

/** Changes an object, the disk or the settings. */
function change(world: World, env: Record<string, string>, random: () => number): void {
  const files = `${world.path}/files`;
  const kind = pick(random, ["ConfigMap", "Secret"] as const);
  const [namespace, name] = [pick(random, NAMESPACES), pick(random, NAMES)];
  const path = `${files}/${pick(random, ["x.json", "y.json", "sub", "sub/x.json", "z", "strange"])}`;
  const attempt = (act: () => void) => {
    try {
      act();
    } catch { /* it is not there, or something else is */ }
  };
  const step = Math.floor(random() * 14);
  if (step < 6) {
    const target = pick(random, FOLDERS);
    const content = pick(random, CONTENTS);
    const keys = KEYS.filter(() => random() < 0.4);
    const isPacked = random() < 0.7;
    const data = Object.fromEntries(keys.map((key) => [
      key,
      key.endsWith(".gz") && isPacked ? packed(content) : content + (random() < 0.1 ? key : ""),
    ]));
    world.put(kind, namespace, name, {
      labels: random() < 0.8 ? { app: "web" } : { app: "api" },
      ...(target === undefined ? {} : { annotations: { "k8s-sidecar-target-directory": target } }),
      creationTimestamp: `2026-01-0${1 + Math.floor(random() * 3)}T00:00:00Z`,
      data,
    });
  } else if (step < 8) world.delete(kind, namespace, name);
  else if (step === 8) world.put("Namespace", "", namespace, { labels: random() < 0.5 ? { team: "x" } : {} });
  else if (step === 9) attempt(() => Deno.chmodSync(path, 0o600));
  else if (step === 10) attempt(() => Deno.writeTextFileSync(path, pick(random, CONTENTS)));
  else if (step === 11) attempt(() => Deno.removeSync(path));
  else if (step === 12) attempt(() => Deno.mkdirSync(path, { recursive: true }));
  else {
    const [setting, values] = pick(
      random,
      [
        ["COLLISIONS", ["oldest", "newest"]],
        ["UNIQUE_FILENAMES", ["true", "false"]],
        ["FOLDER_PER_NAMESPACE", ["true", "false"]],
        ["DEFAULT_FILE_MODE", ["644", "600"]],
        ["DECOMPRESS", ["true", "false"]],
        ["ATOMIC_WRITES", ["true", "false"]],
        ["MAX_FILES_PER_OBJECT", ["2", "5000"]],
      ] as const,
    );
    env[setting] = pick(random, values);
  }
}

for (
  const [what, fixed] of [
    ["one collection", {}],
    ["chosen namespaces", { NAMESPACE_SELECTOR: "team=x", NAMESPACE_EXCLUDE: "c*" }],
    ["a record elsewhere", { STATE_FILE: "PATH/record" }],
  ] as const
) {
  Deno.test(`makePlan() says what METHOD=LIST does with ${what}, and changes nothing`, async () => {
    for (let seed = 1; seed <= WORLDS / 3; seed++) {
      using world = plannedWorld();
      const random = seeded(seed);
      const env: Record<string, string> = { LABEL: "app", LABEL_VALUE: "web", FOLDER: `${world.path}/files` };
      for (const [name, value] of Object.entries(fixed)) env[name] = value.replace("PATH", world.path);
      for (let round = 1; round <= ROUNDS; round++) {
        for (let count = 1 + random() * 8; count > 0; count--) change(world, env, random);
        if (random() < 0.2) linkTo(world.path, random);
        await compare(world, env, `seed ${seed}, round ${round}`);
      }
    }
  });
}

Deno.test("makePlan() says what METHOD=LIST does with many collections, of which some go", async () => {
  for (let seed = 1; seed <= WORLDS / 3; seed++) {
    using world = plannedWorld();
    const random = seeded(seed);
    const CONFIG_FILE = `${world.path}/config.yaml`;
    for (let round = 1; round <= ROUNDS; round++) {
      for (let count = 1 + random() * 8; count > 0; count--) change(world, {}, random);
      const collections = ["web", "api", "all"].filter((_, at) => at === 0 || random() < 0.6).map((name) => ({
        ...{ name, label: "app", onRemove: pick(random, ["keep", "delete"]) },
        ...(name === "all" ? {} : { labelValue: name }),
        folder: `${world.path}/${random() < 0.8 ? name : `other-${name}`}`,
      }));
      Deno.writeTextFileSync(CONFIG_FILE, JSON.stringify({ version: 1, collections }));
      await compare(world, { CONFIG_FILE }, `seed ${seed}, round ${round}`);
    }
  }
});

for (const names of [["web", "api"], ["web", "api", "all"]]) {
  Deno.test(`makePlan() says what METHOD=LIST does with ${names.length} collections that share a folder`, async () => {
    for (let seed = 1; seed <= WORLDS / 3; seed++) {
      using world = plannedWorld();
      const random = seeded(seed);
      const CONFIG_FILE = `${world.path}/config.yaml`;
      const collections = names.map((name) => ({
        ...{ name, label: "app", folder: `${world.path}/shared`, sharedFolder: true },
        ...(name === "all" ? {} : { labelValue: name }),
      }));
      for (let round = 1; round <= ROUNDS; round++) {
        for (let count = 1 + random() * 8; count > 0; count--) change(world, {}, random);
        Deno.writeTextFileSync(CONFIG_FILE, JSON.stringify({ version: 1, collections: shuffled(random, collections) }));
        await compare(world, { CONFIG_FILE }, `seed ${seed}, round ${round}`);
      }
    }
  });
}

async function compare(world: World, env: Record<string, string>, where: string): Promise<void> {
  const before = treeOf(world.path);
  world.asked.length = 0;
  const plan = await world.plan(env);
  assert.deepEqual(new Set(world.asked), new Set(["list"]), where);
  assert.deepEqual(treeOf(world.path), before, `${where}: the plan changed something`);
  await world.run(env);
  const after = treeOf(world.path);
  assert.deepEqual(plannedChanges(plan), changesBetween(before, after), where);
  assert.deepEqual(plannedChanges(await world.plan(env)), [], `${where}: after the run`);
}

/** An archive as the value of a Secret; in a ConfigMap it is no archive. */
function packed(content: string): string {
  return String.fromCharCode(...gzipSync(content));
}

/** A symlink that leads out, to nowhere, or to a directory that the sidecar does not remove. */
function linkTo(path: string, random: () => number): void {
  const link = `${path}/files/${pick(random, ["link", "nowhere"])}`;
  try {
    Deno.mkdirSync(`${path}/outside`, { recursive: true });
    Deno.mkdirSync(`${path}/files/kept`, { recursive: true });
    Deno.symlinkSync(pick(random, [`${path}/outside`, `${path}/missing`, `${path}/files/kept`]), link);
  } catch { /* it is there */ }
}
