/** What a comparison needs of an open file. */
export interface OpenFile extends Disposable {
  /** @returns the number of bytes; `null` at the end */
  readSync(buffer: Uint8Array): number | null;
  close(): void;
}

/**
 * Opens a regular file that we have not written to read it. Never waits for the other side of a FIFO that somebody puts in its
 * place, because it is opened for writing, too, or without blocking. A program that watches the folder is notified of that
 * (`IN_CLOSE_WRITE`), so do not use it for our own files.
 *
 * @param present what was at the path
 * @returns `undefined` when something else is there by now
 * @throws {Deno.errors.*} also PermissionDenied if we may not read it
 */
export function openWithoutWaiting(path: string, present: Deno.FileInfo): OpenFile | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw error;
    return openReadOnly(path, present);
  }
  const { isFile, ino, dev } = file.statSync();
  if (isFile && ino === present.ino && dev === present.dev) return file;
  file.close();
  return undefined;
}

/**
 * For a file that we may not write to. Only Node's module can open it without blocking. It is loaded now, because it costs
 * 5 MB of memory.
 */
function openReadOnly(path: string, present: Deno.FileInfo): OpenFile | undefined {
  const { constants, openSync, fstatSync, readSync, closeSync } = nodeFiles();
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const info = fstatSync(descriptor);
  const close = () => closeSync(descriptor);
  if (info.isFile() && info.ino === present.ino && info.dev === present.dev) {
    return {
      readSync: (buffer) => readSync(descriptor, buffer) || null,
      close,
      [Symbol.dispose]: close,
    };
  }
  close();
  return undefined;
}

/** Synchronous, unlike `import()`. */
function nodeFiles(): typeof import("node:fs") {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): typeof import("node:fs") };
  };
  return process.getBuiltinModule("node:fs");
}
