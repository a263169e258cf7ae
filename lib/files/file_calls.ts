/** File system calls whose expected failures are return values. */

/** Describes what is at a path, a symlink itself included; `undefined` when nothing is there. */
export function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Removes a file, a symlink or an empty directory, if it is there. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Error numbers of Linux for which Deno has no symbol. */
const SYMBOLS: Readonly<Record<string, string>> = {
  27: "EFBIG",
  38: "ENOSYS",
  84: "EILSEQ",
  116: "ESTALE",
  122: "EDQUOT",
};

/** The symbol of the system's error number, such as `EXDEV`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return SYMBOLS[/\(os error (\d+)\)/.exec(error.message)?.[1] ?? ""];
}

/** The real path; the path itself when nothing is there. */
export function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
