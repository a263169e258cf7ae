/**
 * The bytes of a file, in pieces that share one buffer: each piece is valid until the next one is requested. A large file
 * then needs no memory besides its text.
 */

/** Each call reads the bytes from the beginning. */
export type Body = () => Iterable<Uint8Array>;

const PIECE_BYTES = 32 * 1024;
const PIECE = new Uint8Array(PIECE_BYTES);
const ENCODER = new TextEncoder();

/** The text in UTF-8. */
export function textBody(text: string): Body {
  return function* () {
    for (let at = 0; at < text.length;) {
      const { read, written } = ENCODER.encodeInto(at === 0 ? text : text.substring(at), PIECE);
      yield PIECE.subarray(0, written);
      at += read;
    }
  };
}

/** The bytes encoded by base64 text; check it with {@link isBase64} first. */
export function base64Body(text: string): Body {
  return function* () {
    for (let at = 0; at < text.length;) {
      const { read, written } = PIECE.setFromBase64(at === 0 ? text : text.substring(at));
      if (read === 0) return;
      yield PIECE.subarray(0, written);
      at += read;
    }
  };
}

/** Whether {@link base64Body} can read it: the padded form of RFC 4648, section 4, which the API server writes. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** The bytes decoded as UTF-8. */
export function textOf(body: Body): string {
  const decoder = new TextDecoder();
  let text = "";
  for (const piece of body()) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

/** The rest of an open file, with a buffer of its own. */
export function* piecesOf(file: Deno.FsFile): Generator<Uint8Array, void> {
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let read = readFully(file, buffer); read > 0; read = readFully(file, buffer)) yield buffer.subarray(0, read);
}

/** Fills the buffer as far as the file goes. Returns the number of bytes. */
export function readFully(file: Pick<Deno.FsFile, "readSync">, buffer: Uint8Array): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = file.readSync(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return filled;
}
