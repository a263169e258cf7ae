/** Bytes in memory at a time, as long as no line is longer. */
const PIECE = 64 * 1024;

const NEWLINE = 10;

/**
 * Reads the lines of a text file, several at a time, with little memory. A line of more than `maxLine` bytes, rounded up to a
 * power of two, is skipped and yielded as `undefined`.
 *
 * @param size bytes to read; what was added meanwhile is not read
 * @returns whether the last line ended with a newline
 */
export function* linePiecesOf(
  file: Deno.FsFile,
  size: number,
  maxLine: number,
): Generator<(string | undefined)[], boolean> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let buffer = new Uint8Array(PIECE);
  let filled = 0;
  let isSkipping = false;
  for (let left = size; left > 0;) {
    const read = file.readSync(buffer.subarray(filled, filled + left));
    if (read === null) break;
    left -= read;
    filled += read;
    let bytes = buffer.subarray(0, filled);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end >= 0) {
      if (isSkipping) yield [undefined];
      const start = isSkipping ? bytes.indexOf(NEWLINE) + 1 : 0;
      isSkipping = false;
      if (start <= end) yield decoder.decode(bytes.subarray(start, end)).split("\n");
      bytes = bytes.subarray(end + 1);
    } else if (filled === buffer.length && filled >= maxLine) {
      isSkipping = true;
      bytes = bytes.subarray(0, 0);
    }
    filled = bytes.length;
    if (filled === buffer.length) buffer = copyOf(bytes, 2 * filled);
    else if (buffer.length > PIECE && filled < PIECE) buffer = copyOf(bytes, PIECE);
    else buffer.set(bytes);
  }
  if (isSkipping) yield [undefined];
  else if (filled > 0) yield [decoder.decode(buffer.subarray(0, filled))];
  return filled === 0 && !isSkipping;
}

function copyOf(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}
