/**
 * An application that reads the folder all the while, in a process of its own: every file must be a whole version of one
 * object's content, and never an older one than was there before.
 *
 * As a program: `reader.ts FOLDER`; ends when its input closes, and prints what it saw as JSON.
 */
import { fileURLToPath } from "node:url";
import { stampOf } from "./stamped.ts";

export interface Seen {
  /** Files read. */
  reads: number;
  /** Versions seen. */
  versions: number;
  /** What must not be, one line each. */
  faults: string[];
}

/** Most faults that are told. */
const SHOWN = 5;

export class ReaderProcess {
  readonly #child: Deno.ChildProcess;

  constructor(folder: string) {
    const program = fileURLToPath(import.meta.url);
    const args = ["run", "--quiet", `--allow-read=${folder}`, program, folder];
    this.#child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
  }

  async stop(): Promise<Seen> {
    await this.#child.stdin.close();
    const { stdout } = await this.#child.output();
    return JSON.parse(new TextDecoder().decode(stdout));
  }
}

async function read(folder: string): Promise<Seen> {
  let isOver = false;
  const over = Deno.stdin.readable.pipeTo(new WritableStream()).catch(() => {}).then(() => isOver = true);
  const seen: Seen = { reads: 0, versions: 0, faults: [] };
  const latest = new Map<string, number>();
  const look = (directory: string) => {
    for (const { name, isDirectory } of entriesOf(directory)) {
      const path = `${directory}/${name}`;
      if (isDirectory) look(path);
      else if (name.endsWith(".txt") && seen.faults.length < SHOWN) readFile(path, seen, latest);
    }
  };
  while (!isOver) {
    look(folder);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await over;
  return seen;
}

function readFile(path: string, seen: Seen, latest: Map<string, number>): void {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch {
    return; // it was removed
  }
  seen.reads++;
  const stamp = stampOf(bytes);
  if (stamp === undefined) {
    const head = new TextDecoder().decode(bytes.subarray(0, 80));
    seen.faults.push(`${path} is not whole: ${bytes.length} bytes: ${JSON.stringify(head)}`);
    return;
  }
  const place = `${path} ${stamp.id}`;
  const before = latest.get(place) ?? 0;
  if (stamp.version < before) seen.faults.push(`${path} went from version ${before} back to ${stamp.version}`);
  if (stamp.version > before) seen.versions++;
  latest.set(place, stamp.version);
}

function entriesOf(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch {
    return []; // it was removed, or is not there yet
  }
}

if (import.meta.main) console.log(JSON.stringify(await read(Deno.args[0] ?? "")));
