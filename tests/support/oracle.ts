/** What must be on disk, and when. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";

export interface FolderOptions {
  /** Permission bits of every file. */
  mode?: number;
}

/** What is the sidecar's own: a directory with its record and its temporaries. Older ones: the record itself. */
const OWN = /^\.\.k8s-sidecar-[0-9a-f]{10}$/;

const OWN_PREFIX = "..k8s-sidecar-";

/**
 * Passes when the folder holds exactly these files, by path below it: no more and no fewer, their bytes and their mode
 * right, no temporary left over, and no directory that is empty.
 */
export function assertFolderEquals(
  folder: string,
  expected: Record<string, string | Uint8Array>,
  { mode = 0o644 }: FolderOptions = {},
): void {
  const found = pathsBelow(folder);
  assert.deepEqual(found.sort(), Object.keys(expected).sort(), `files in ${folder}`);
  for (const [name, content] of Object.entries(expected)) {
    const path = join(folder, name);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    assertSameBytes(Deno.readFileSync(path), bytes, name);
    assert.equal(((Deno.lstatSync(path).mode ?? 0) & 0o7777).toString(8), mode.toString(8), `mode of ${name}`);
  }
}

/** Files, and directories that hold nothing with a slash at their end; without the sidecars' records. */
function pathsBelow(folder: string): string[] {
  const paths: string[] = [];
  const visit = (directory: string) => {
    const entries = [...Deno.readDirSync(directory)];
    if (entries.length === 0 && directory !== folder) paths.push(`${relative(folder, directory)}/`);
    for (const { name, isDirectory } of entries) {
      const path = join(directory, name);
      if (isDirectory && OWN.test(name)) paths.push(...unexpectedIn(folder, path));
      else if (isDirectory) visit(path);
      else if (directory !== folder || !OWN.test(name)) paths.push(relative(folder, path));
    }
  };
  visit(folder);
  return paths.filter((path) => !OWN.test(path));
}

/** What a sidecar's own directory holds besides `state` and, at the top of its folder, the one record in it. */
function unexpectedIn(folder: string, directory: string): string[] {
  const paths = [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    if (!isDirectory || name !== "state") return [join(directory, name)];
    const inState = [...Deno.readDirSync(join(directory, name))].map((entry) => join(directory, name, entry.name));
    const records = dirname(directory) === folder ? 1 : 0;
    return inState.length > records ? inState : [];
  });
  return paths.map((path) => relative(folder, path));
}

/** Where the record is; a sidecar must have kept one in this folder. */
export function recordIn(folder: string): string {
  const own = [...Deno.readDirSync(folder)].find(({ name }) => OWN.test(name));
  assert.ok(own !== undefined, "there is no record");
  if (!own.isDirectory) return join(folder, own.name);
  const state = join(folder, own.name, "state");
  const [record, ...others] = [...Deno.readDirSync(state)].map(({ name }) => join(state, name));
  assert.ok(record !== undefined && others.length === 0, `${state} does not hold the record alone`);
  return record;
}

function assertSameBytes(actual: Uint8Array, expected: Uint8Array, name: string): void {
  if (Math.max(actual.length, expected.length) < 200) {
    const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
    assert.equal(text(actual), text(expected), `content of ${name}`);
  } else {
    assert.equal(actual.length, expected.length, `size of ${name}`);
    const at = actual.findIndex((byte, index) => byte !== expected[index]);
    assert.equal(at, -1, `content of ${name} differs at byte ${at}`);
  }
}

/** Half-written files anywhere below the folder. */
export function temporariesIn(folder: string): string[] {
  return pathsBelow(folder).filter((path) => path.split("/").some((name) => name.startsWith(OWN_PREFIX)));
}

export interface PollOptions {
  /** Milliseconds. */
  timeout?: number;
  /** Milliseconds from the end of one attempt to the next. */
  interval?: number;
}

/**
 * Tries until the assertion passes, and returns what it returns.
 *
 * @throws what it threw last, once the time is up
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeout = 15_000, interval = 20 }: PollOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) {
        if (error instanceof Error) error.message = `not so within ${timeout} ms: ${error.message}`;
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
