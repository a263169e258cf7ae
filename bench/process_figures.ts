/** What the kernel says of a process: memory and processor time. Linux only. */

/** In bytes. */
export interface Memory {
  /** Private memory: heaps, stacks, buffers. What this project answers for. */
  anon: number;
  /** With the pages of mapped files, most of them the Deno binary's own, which all processes share. */
  rss: number;
  /** The most that `rss` ever was. */
  peak: number;
}

export function memoryOf(pid: number): Memory {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  return { anon: bytes("RssAnon"), rss: bytes("VmRSS"), peak: bytes("VmHWM") };
}

export function openFilesOf(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

const SETTLED_SAMPLES = 5;
const SETTLED_INTERVAL_MS = 200;
const SETTLED_SPREAD = 128 * 1024;
const SETTLED_TIMEOUT_MS = 6_000;

/** The memory of a process that has nothing to do any more: once it stays the same for a second. */
export async function settledMemoryOf(pid: number): Promise<Memory> {
  const deadline = performance.now() + SETTLED_TIMEOUT_MS;
  const samples: number[] = [];
  for (;;) {
    const memory = memoryOf(pid);
    samples.push(memory.anon);
    const last = samples.slice(-SETTLED_SAMPLES);
    const isSettled = last.length === SETTLED_SAMPLES && Math.max(...last) - Math.min(...last) <= SETTLED_SPREAD;
    if (isSettled || performance.now() > deadline) return memory;
    await new Promise((resolve) => setTimeout(resolve, SETTLED_INTERVAL_MS));
  }
}

/** Milliseconds between two ticks in which `/proc/PID/stat` counts (USER_HZ, 100 on every Linux that Deno runs on). */
const TICK_MS = 10;

/** Processor time so far in milliseconds, user and system, by ticks of 10 ms. For long spans. */
export function processorTimeOf(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Processor time of each thread in nanoseconds: for spans in which a process does next to nothing. */
function threadTimesOf(pid: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      times.set(name, Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]));
    } catch { /* the thread has ended meanwhile */ }
  }
  return times;
}

/** Begins to count processor time; what is returned gives the milliseconds since. A thread that ended counts no more. */
export function finelyTimed(pid: number): () => number {
  const before = threadTimesOf(pid);
  return () => {
    let sum = 0;
    for (const [thread, time] of threadTimesOf(pid)) sum += time - (before.get(thread) ?? 0);
    return sum / 1e6;
  };
}
