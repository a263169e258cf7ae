/**
 * Processes that a script leaves behind become children of PID 1. Where that is this program, because a container has no
 * init of its own, nobody else waits for them, and they would stay as zombies.
 */
import type { Clock } from "../runtime/clock.ts";

/** The C library of Debian, of its other architecture, and of Red Hat; the task `start` in deno.json allows these. */
const C_LIBRARIES = [
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
];

const WAITPID = { waitpid: { parameters: ["i32", "pointer", "i32"], result: "i32" } } as const;
const WNOHANG = 1;

/** Seconds between two looks: the first, and the longest. */
const FIRST_LOOK_SECONDS = 0.5;
const MAX_LOOK_SECONDS = 8;

/**
 * Waits for the children of PID 1 that are in a process group, until there are none. Its leader must have been waited for.
 * Never rejects: where the C library cannot be called, it does nothing.
 */
export async function reapGroup(group: number, clock: Pick<Clock, "sleep">): Promise<void> {
  const library = openLibrary();
  if (library === undefined) return;
  const wait = () => library.symbols.waitpid(-group, null, WNOHANG);
  for (let delay = FIRST_LOOK_SECONDS;; delay = Math.min(delay * 2, MAX_LOOK_SECONDS)) {
    let pid = wait();
    while (pid > 0) pid = wait();
    // There is no such child
    if (pid < 0) return;
    await clock.sleep(delay);
  }
}

let opened: Deno.DynamicLibrary<typeof WAITPID> | undefined;

function openLibrary(): typeof opened {
  for (const path of C_LIBRARIES) {
    if (opened !== undefined) break;
    try {
      opened = Deno.dlopen(path, WAITPID);
    } catch { /* it is elsewhere, or not allowed */ }
  }
  return opened;
}
