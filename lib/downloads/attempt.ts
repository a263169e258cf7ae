/** One attempt to bring the content of a URL or of an archive to its path. */
import type { Body } from "../files/body.ts";
import type { DeferredContent } from "../files/projection.ts";
import type { TemporaryFile } from "../files/temporary_file.ts";
import type { ByteLimits } from "./byte_limits.ts";
import type { Answer, ContentSink } from "./fetcher.ts";
import type { Validators } from "./validators.ts";

export interface AttemptOptions {
  /** Streams what a URL serves. */
  fetcher: {
    fetchTo(url: string, sink: ContentSink, signal: AbortSignal, known?: Validators): Promise<Answer>;
  };
  /** Unpacks an archive. An {@link ArchiveError} refuses it; any other error is tried again. */
  unpack(archive: Body, write: (piece: Uint8Array) => void, signal: AbortSignal): Promise<void>;
  publisher: {
    open(path: string): TemporaryFile;
    commit(file: TemporaryFile, owner: string): boolean;
  };
  limits: ByteLimits;
}

export interface Target {
  path: string;
  content: DeferredContent;
  /** Key of the object. */
  owner: string;
  /** The bytes on disk changed. */
  onWritten(): void;
}

/** The last answer of a URL that was put at its path, and the file that it made. */
export interface KeptAnswer {
  validators: Validators;
  file: string;
}

/**
 * Returns what the next attempt can ask the host with.
 *
 * @param last the answer of an earlier attempt: while the file that it made is at the path, the host is asked whether it is
 * still right
 */
export async function attempt(
  options: AttemptOptions,
  target: Target,
  last: KeptAnswer | undefined,
  signal: AbortSignal,
): Promise<KeptAnswer | undefined> {
  signal.throwIfAborted();
  const { publisher, fetcher, unpack, limits } = options;
  const { path, content, owner } = target;
  using file = publisher.open(path);
  const commit = (complete: TemporaryFile): void => {
    signal.throwIfAborted();
    if (publisher.commit(complete, owner)) target.onWritten();
  };
  if (!("url" in content)) {
    await unpack(content.body, (piece) => file.write(piece), signal);
    commit(file);
    return undefined;
  }
  const { url, isGzip } = content;
  using incoming = limits.open(path, owner);
  const count = isGzip ? () => {} : (bytes: number) => incoming.add(bytes);
  const sink: ContentSink = {
    restart() {
      file.empty();
      incoming.restart();
    },
    write(chunk) {
      count(chunk.length);
      file.write(chunk);
    },
  };
  const known = last?.file === looksOf(path) ? last : undefined;
  let answer = await fetcher.fetchTo(url, sink, signal, known?.validators);
  if (answer.isUnchanged) {
    signal.throwIfAborted();
    if (known?.file === looksOf(path)) return known;
    // Somebody changed the file meanwhile
    answer = await fetcher.fetchTo(url, sink, signal);
  }
  const arrived = (complete: TemporaryFile): KeptAnswer | undefined => {
    commit(complete);
    incoming.keep();
    const { validators } = answer;
    return validators && { validators, file: looksOf(path) };
  };
  if (!isGzip) return arrived(file);
  using unpacked = publisher.open(path);
  const take = (piece: Uint8Array) => {
    incoming.add(piece.length);
    unpacked.write(piece);
  };
  await unpack(file.body, take, signal);
  return arrived(unpacked);
}

/** Differs when somebody changed the file; empty when it is gone. */
export function looksOf(path: string): string {
  try {
    const { ino, size, mode, mtime } = Deno.lstatSync(path);
    return [ino, size, mode, mtime?.getTime()].join(" ");
  } catch {
    return "";
  }
}
