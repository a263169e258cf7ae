/**
 * The base binary of `deno compile` without its symbols: 84 MB instead of 108. A compiled binary cannot be stripped
 * afterwards, because the program is a note of the ELF file.
 */
import { inflateRawSync } from "node:zlib";

/** Deno's names of the targets that are stripped, and how binutils begins the names of its programs for them. */
const BINUTILS: Record<string, string> = {
  "x86_64-unknown-linux-gnu": "x86_64-linux-gnu",
  "aarch64-unknown-linux-gnu": "aarch64-linux-gnu",
};

/** Writes the base to `directory` and returns its path; `undefined` for a target that is not stripped. */
export async function strippedBase(target: string, directory: string): Promise<string | undefined> {
  const prefix = BINUTILS[target];
  if (prefix === undefined) return undefined;
  const path = `${directory}/denort`;
  await Deno.writeFile(path, await baseBinary(target, directory), { mode: 0o755 });
  await strip(
    path,
    target === Deno.build.target ? [`${prefix}-strip`, "strip", "llvm-strip"] : [
      `${prefix}-strip`,
      "llvm-strip",
    ],
  );
  return path;
}

/** The file that DENORT_BIN names, or what `deno compile` downloads. */
async function baseBinary(target: string, directory: string): Promise<Uint8Array> {
  const given = Deno.env.get("DENORT_BIN");
  if (given !== undefined) return await Deno.readFile(given);
  const { denoDir } = JSON.parse(await deno("info", "--json"));
  const archive = `${denoDir}/dl/release/v${Deno.version.deno}/denort-${target}.zip`;
  try {
    await Deno.lstat(archive);
  } catch {
    // Compiling anything downloads it
    await Deno.writeTextFile(`${directory}/empty.js`, "");
    const options = ["--quiet", "--no-config", "--no-lock", "--no-check", `--target=${target}`];
    await deno("compile", ...options, `--output=${directory}/empty`, `${directory}/empty.js`);
  }
  return onlyFileOf(await Deno.readFile(archive));
}

/** The content of the first file of a ZIP archive. */
export function onlyFileOf(archive: Uint8Array): Uint8Array {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  let end = archive.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error("the base binary of deno compile is no ZIP archive");
  const entry = view.getUint32(end + 16, true);
  const [method, size] = [view.getUint16(entry + 10, true), view.getUint32(entry + 20, true)];
  const header = view.getUint32(entry + 42, true);
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  const data = archive.subarray(start, start + size);
  return method === 0 ? data : inflateRawSync(data);
}

/** Strips with the first of these programs that is installed. */
async function strip(path: string, programs: string[]): Promise<void> {
  for (const program of programs) {
    try {
      const { success } = await new Deno.Command(program, { args: ["--strip-all", path] }).spawn().status;
      if (!success) throw new Error(`${program} failed`);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(
    `none of ${programs.join(", ")} is installed: install binutils (on Debian, for another architecture: ` +
      "binutils-x86-64-linux-gnu or binutils-aarch64-linux-gnu)",
  );
}

/** Runs this Deno and returns its output. */
async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  const text = new TextDecoder();
  if (success) return text.decode(stdout);
  throw new Error(
    `deno ${args[0]} failed, and DENORT_BIN names no base binary\n` + withoutBacktrace(text.decode(stderr)),
  );
}

function withoutBacktrace(error: string): string {
  return error.split(/\n+Stack backtrace/)[0]?.trimEnd() ?? "";
}
