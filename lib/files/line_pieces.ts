/** Bytes in memory at a time, as long as no line is longer. */
const PIECE = 16 * 1024;

const NEWLINE = 10;

/**
 * Reads the lines of a text file, several at a time, with little memory.
 *
 * @param size bytes to read; what was added meanwhile is not read
 * @param maxLine bytes; a power of two
 * @returns whether the last line ended with a newline
 * @throws {Error} a line is longer than `maxLine`
 */
export function* linePiecesOf(
  file: Pick<Deno.FsFile, "readSync">,
  size: number,
  maxLine: number,
): Generator<string[], boolean> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let buffer = new Uint8Array(PIECE);
  let filled = 0;
  for (let left = size; left > 0;) {
    const read = file.readSync(buffer.subarray(filled, filled + left));
    if (read === null) break;
    left -= read;
    filled += read;
    let bytes = buffer.subarray(0, filled);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end >= 0) {
      yield decoder.decode(bytes.subarray(0, end)).split("\n");
      bytes = bytes.subarray(end + 1);
    } else if (filled >= maxLine) throw new Error(`a line has more than ${maxLine} bytes`);
    filled = bytes.length;
    if (filled === buffer.length) buffer = copyOf(bytes, 2 * filled);
    else if (buffer.length > PIECE && filled < PIECE) buffer = copyOf(bytes, PIECE);
    else buffer.set(bytes);
  }
  if (filled > 0) yield [decoder.decode(buffer.subarray(0, filled))];
  return filled === 0;
}

function copyOf(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}
