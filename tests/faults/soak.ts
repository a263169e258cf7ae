/**
 * Hours in minutes: one sidecar, a storm of changes that does not end, and a fault every few seconds, on a real control
 * plane; meanwhile the property tests run again and again, each time from another seed. Prints what the sidecar holds
 * every minute, and fails when the files are wrong once, or when it holds more and more.
 *
 * `deno task soak [minutes]`, 10 by default; FAULTS_SEED repeats what chance decided.
 */
import { fileURLToPath } from "node:url";
import { type Churn, churns } from "../support/churn.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import { ControlPlane, controlPlaneAvailable } from "../support/control_plane.ts";
import { seconds, SEED } from "../support/fault_story.ts";
import { pick, seeded } from "../support/random.ts";
import { ReaderProcess } from "../support/reader.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, Story } from "../support/story.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

interface Row {
  minute: number;
  changes: number;
  faults: number;
  /** Times that the disk was compared with the cluster, byte for byte. */
  compared: number;
  rssAnonMiB: number;
  openFiles: number;
  threads: number;
  cases: number;
}

/** What may be more at the end than after the warm-up: chance, and what V8 gives back late. */
const GROWTH = { rssAnonMiB: 10, openFiles: 6, threads: 4 };

/** The share of the time in which what the sidecar holds may still grow. */
const WARM_UP = 0.3;

const FUZZ_FACTOR = 5;

/** Cases of one run of the property tests, for each FUZZ_FACTOR. */
const FUZZ_CASES = 21_000;

async function soak(minutes: number): Promise<boolean> {
  const random = seeded(SEED);
  console.log(`${minutes} minutes, FAULTS_SEED=${SEED}`);
  const controlPlane = await ControlPlane.start();
  await using story = await Story.begin(controlPlane, "soak");
  await using proxy = await TcpProxy.start(controlPlane.url);
  const timeouts = { WATCH_SERVER_TIMEOUT: "30", WATCH_CLIENT_TIMEOUT: "33", RESYNC_PERIOD: "60" };
  const account = { ...await story.serviceAccount(), ...inClusterAddress(proxy.url) };
  const sidecar = await story.startReady({ ...account, ...timeouts, LOG_LEVEL: "ERROR" });
  const reader = new ReaderProcess(story.folder);
  const storms = churns(story, random, 3, { objects: 40, tolerant: true });
  const state = { faults: 0, compared: 0, cases: 0 };
  const end = new AbortController();
  const fuzz = fuzzUntil(end.signal, (cases) => state.cases += cases);
  const rows: Row[] = [];
  const startedAt = performance.now();
  const passed = () => (performance.now() - startedAt) / 60_000;
  print(["minute", "changes", "faults", "compared", "RssAnon MiB", "open files", "threads", "property cases"]);
  try {
    while (passed() < minutes) {
      await round(story, controlPlane, proxy, storms, random);
      state.faults++;
      state.compared++;
      if (!sidecar.running) throw new Error(`the sidecar ended\n${sidecar.tail()}`);
      if (passed() < rows.length + 1) continue;
      const changes = storms.reduce((sum, { done }) => sum + done, 0);
      const { faults, compared, cases } = state;
      rows.push({ minute: rows.length + 1, changes, faults, compared, ...held(sidecar), cases });
      print(Object.values(rows.at(-1) ?? {}));
    }
  } finally {
    end.abort();
    await fuzz;
    await sidecar.kill9();
    const { reads, faults } = await reader.stop();
    console.log(`an application read ${reads} files meanwhile; wrong: ${faults.length}`);
    for (const fault of faults) console.log(fault);
    if (faults.length > 0) Deno.exitCode = 1;
    await controlPlane.stop();
  }
  return isFlat(rows);
}

/** A fault in the middle of a storm, and after it the files must be right. */
async function round(
  story: Story,
  controlPlane: ControlPlane,
  proxy: TcpProxy,
  storms: readonly Churn[],
  random: () => number,
): Promise<void> {
  const storm = new AbortController();
  const changes = Promise.all(storms.map((churn) => churn.run(Infinity, storm.signal)));
  const faults: Record<string, () => Promise<void>> = {
    reset: () => Promise.resolve(proxy.reset()),
    refuse: async () => {
      await proxy.refuse();
      await seconds(2 * random());
      await proxy.listen();
    },
    swallow: async () => {
      proxy.weather = "swallow";
      await seconds(3 * random());
      proxy.weather = "fair";
      // Whoever waits for a dead connection's end waits for WATCH_CLIENT_TIMEOUT; the reset makes it short
      await seconds(1);
      proxy.reset();
    },
    trickle: async () => {
      proxy.weather = "trickle";
      await seconds(2);
      proxy.weather = "fair";
      proxy.reset();
    },
    pause: async () => {
      controlPlane.pauseApiServer();
      await seconds(3 * random());
      controlPlane.resumeApiServer();
    },
    kill: async () => {
      await controlPlane.stopApiServer();
      await controlPlane.startApiServer();
    },
    compact: async () => {
      await proxy.refuse();
      await controlPlane.compactEtcd();
      await proxy.listen();
    },
    nothing: () => Promise.resolve(),
  };
  const names = Object.keys(faults).filter((name) => name !== "kill" || random() < 0.2);
  const name = pick(random, names);
  try {
    await seconds(2 * random());
    await faults[name]?.();
    await seconds(1 + 2 * random());
  } finally {
    storm.abort();
    await changes;
  }
  await assertDiskFollows(story, { timeout: 90_000, interval: 200 }).catch((error) => {
    throw new Error(`after ${name}: ${error.message}`, { cause: error });
  });
}

/** What the process holds now. */
function held(sidecar: SidecarProcess): Pick<Row, "rssAnonMiB" | "openFiles" | "threads"> {
  const count = (what: string) => [...Deno.readDirSync(`/proc/${sidecar.pid}/${what}`)].length;
  return { rssAnonMiB: Math.round(sidecar.rssAnon() / 2 ** 20), openFiles: count("fd"), threads: count("task") };
}

async function fuzzUntil(signal: AbortSignal, onCases: (cases: number) => void): Promise<void> {
  const program = fileURLToPath(new URL("./fuzz_test.ts", import.meta.url));
  while (!signal.aborted) {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", program],
      env: { FUZZ_FACTOR: String(FUZZ_FACTOR), FAULTS_SEED: String(Math.floor(Math.random() * 2 ** 31)) },
      stderr: "null",
      signal,
    }).output();
    if (signal.aborted) return;
    onCases(FUZZ_CASES * FUZZ_FACTOR);
    if (success) continue;
    console.log(new TextDecoder().decode(stdout));
    Deno.exitCode = 1;
  }
}

/** Medians of the two halves of what follows the warm-up tell growth from breathing. */
function isFlat(rows: readonly Row[]): boolean {
  const warm = rows.slice(Math.floor(rows.length * WARM_UP));
  if (warm.length < 4) {
    console.log("too short to tell growth");
    return true;
  }
  const [before, after] = [warm.slice(0, warm.length / 2), warm.slice(warm.length / 2)];
  let flat = true;
  for (const [name, allowed] of Object.entries(GROWTH) as [keyof typeof GROWTH, number][]) {
    const median = (rows: readonly Row[]) => rows.map((row) => row[name]).sort((a, b) => a - b)[rows.length >> 1] ?? 0;
    const growth = median(after) - median(before);
    console.log(`${name}: ${median(before)} after the warm-up, ${median(after)} at the end`);
    if (growth > allowed) flat = false;
  }
  return flat;
}

function print(cells: readonly unknown[]): void {
  console.log(`| ${cells.map((cell) => String(cell).padStart(9)).join(" | ")} |`);
}

if (import.meta.main) {
  if (!controlPlaneAvailable()) {
    console.error("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd");
    Deno.exit(2);
  }
  const flat = await soak(Number(Deno.args[0] ?? 10));
  console.log(flat ? "flat" : "it holds more and more");
  Deno.exit(flat ? Number(Deno.exitCode ?? 0) : 1);
}
