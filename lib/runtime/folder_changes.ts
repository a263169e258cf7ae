/** The changes of a folder that the system announces. */

export interface FolderChangesOptions {
  recursive: boolean;
  /** Ends the announcements. */
  signal: AbortSignal;
  onChange(event: Deno.FsEvent): void;
}

/**
 * Resolves when the signal aborts.
 *
 * @throws {Error} the system does not announce changes there
 */
export async function followFolder(dir: string, { recursive, signal, onChange }: FolderChangesOptions): Promise<void> {
  const changes = Deno.watchFs(dir, { recursive });
  const ended = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => {
    // Deno opens what has changed, which never ends for a FIFO, and close() would wait for that
    if (!hasFifo(dir, recursive)) changes.close();
    ended.resolve();
  }, { once: true });
  const all = async () => {
    for await (const event of changes) onChange(event);
  };
  await Promise.race([all(), ended.promise]);
}

function hasFifo(dir: string, recursive: boolean): boolean {
  try {
    return [...Deno.readDirSync(dir)].some(({ name, isDirectory }) =>
      isDirectory ? recursive && hasFifo(`${dir}/${name}`, recursive) : isFifo(`${dir}/${name}`)
    );
  } catch {
    return false;
  }
}

function isFifo(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch {
    return false;
  }
}
