/** Real folders, and real trouble with them: full disks, read-only ones, files that cannot be changed. */
import { RESERVED_PREFIX } from "../../lib/files/paths.ts";

export interface Folder extends Disposable {
  readonly path: string;
}

/** An empty folder, removed when disposed. */
export function tempFolder(): Folder {
  const path = Deno.realPathSync(Deno.makeTempDirSync());
  return { path, [Symbol.dispose]: () => removeFolder(path) };
}

/** Removes a folder and all in it, though somebody may write there at the same time. */
export function removeFolder(path: string): void {
  for (;;) {
    try {
      return Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOTEMPTY") throw error;
    }
  }
}

/**
 * An empty file system of its own with room for so many bytes, and for so many files.
 *
 * @param path an empty directory to mount it on; without it, one is made
 */
export function smallDisk(bytes: number, files = 10_000, path?: string): Folder {
  const folder = path === undefined ? tempFolder() : { path, [Symbol.dispose]() {} };
  system("mount", "-t", "tmpfs", "-o", `size=${bytes},nr_inodes=${files + 1}`, "tmpfs", folder.path);
  return {
    path: folder.path,
    [Symbol.dispose]() {
      system("umount", folder.path);
      folder[Symbol.dispose]();
    },
  };
}

/** An empty file system of its own at a path, until disposed. */
export function diskAt(path: string, bytes: number): Disposable {
  Deno.mkdirSync(path, { recursive: true });
  system("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=755`, "tmpfs", path);
  return { [Symbol.dispose]: () => system("umount", path) };
}

/** Has a small disk read-only from one moment to the next, or no longer. */
export function remount(disk: Folder, mode: "ro" | "rw"): void {
  system("mount", "-o", `remount,${mode}`, disk.path);
}

/** Mounts a directory a second time, on another one, until disposed. */
export function bound(path: string, on: string): Disposable {
  system("mount", "--bind", path, on);
  return { [Symbol.dispose]: () => system("umount", on) };
}

/** Has a folder read-only until disposed. */
export function readOnly(path: string): Disposable {
  system("mount", "--bind", path, path);
  system("mount", "-o", "remount,ro,bind", path);
  return { [Symbol.dispose]: () => system("umount", path) };
}

/** Keeps a file from being changed, replaced and removed, and a directory from getting or losing entries, until disposed. */
export function immutable(path: string): Disposable {
  system("chattr", "+i", path);
  return { [Symbol.dispose]: () => system("chattr", "-i", path) };
}

/** Fills the disk that a folder is on to its last byte, until disposed. */
export function fill(folder: string): Disposable {
  const path = `${folder}/filler`;
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (let size = 4096; size >= 1;) {
    try {
      file.writeSync(new Uint8Array(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
  return { [Symbol.dispose]: () => Deno.removeSync(path) };
}

/** A program, and its arguments, that becomes another one for which every change of a mode fails. */
export function refusedModes(errno: "EPERM" | "EOPNOTSUPP"): string[] {
  const calls = "chmod,fchmod,fchmodat";
  // Older versions do not know fchmodat2, which they skip for the question mark when it is only traced
  return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls},?fchmodat2`]
    .concat("-e", `inject=${calls},?fchmodat2:error=${errno}`);
}

/** What a test can need of the machine, and what is missing where it cannot have it. */
const NEEDS = {
  mounts: { missing: "no right to mount", probe: () => smallDisk(65_536)[Symbol.dispose]() },
  immutableFiles: {
    missing: "no file can be made immutable",
    probe() {
      using folder = tempFolder();
      immutable(folder.path)[Symbol.dispose]();
    },
  },
  strace: {
    missing: "no strace, or no right to trace",
    probe: () => system("strace", ...refusedModes("EPERM").slice(1), "true"),
  },
  users: {
    missing: "no right to run a program under another user",
    probe() {
      const { success } = asUser(1001, 3000, `await import("${import.meta.resolve("../../lib/files/paths.ts")}");`);
      if (!success) throw new Error("not possible");
    },
  },
};

const found = new Map<string, boolean>();

/** Runs a program under another user. */
export function asUser(uid: number, gid: number, program: string, ...args: string[]): Deno.CommandOutput {
  using cache = tempFolder();
  Deno.chmodSync(cache.path, 0o777);
  const env = { DENO_DIR: cache.path };
  return new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", program, ...args], uid, gid, env, cwd: "/" })
    .outputSync();
}

/** A test that is left out, with the reason in its name, where the machine does not give it what it needs. */
export function diskTest(need: keyof typeof NEEDS, name: string, fn: () => void | Promise<void>): void {
  Deno.test({ ...where(need, name), fn });
}

/** A test's name and whether it is left out. */
export function where(need: keyof typeof NEEDS, name: string): { name: string; ignore: boolean } {
  const { missing, probe } = NEEDS[need];
  if (!found.has(need)) found.set(need, succeeds(probe));
  const ignore = !found.get(need);
  return { name: ignore ? `${name} (left out: ${missing})` : name, ignore };
}

/** Every file below a folder with its text, by path within it; without records, but with temporary files. */
export function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    entriesIn(folder).filter(({ name }) => !RECORD.test(name)).map(({ name }) => [name, text(`${folder}/${name}`)]),
  );
}

/** Files of any sidecar's own below a folder, except records. */
export function temporariesIn(folder: string): string[] {
  return entriesIn(folder).map(({ name }) => name)
    .filter((name) => name.includes(RESERVED_PREFIX) && !RECORD.test(name));
}

export function text(path: string): string {
  return Deno.readTextFileSync(path);
}

export function exists(path: string): boolean {
  return succeeds(() => Deno.lstatSync(path));
}

const RECORD = new RegExp(`^${RESERVED_PREFIX.replaceAll(".", "\\.")}[a-z0-9]+/state/record$`);

function entriesIn(folder: string, below = ""): { name: string }[] {
  return [...Deno.readDirSync(folder + below)].flatMap(({ name, isDirectory }) =>
    isDirectory ? entriesIn(folder, `${below}/${name}`) : [{ name: `${below}/${name}`.slice(1) }]
  ).toSorted((a, b) => a.name < b.name ? -1 : 1);
}

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

function system(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
