/**
 * The bytes of a file, in pieces that share one buffer: each is used before the next is asked for. So a large file costs
 * the text that it came as, and no copy of it in bytes.
 */

/** May be called again, to read the bytes anew. */
export type Body = () => Iterable<Uint8Array>;

const PIECE = new Uint8Array(32 * 1024);
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

/** What base64 text stands for; see {@link isBase64}. */
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

/** Whether {@link base64Body} can read it: the alphabet of RFC 4648 section 4, padded, as the API server writes it. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** The bytes as text, in UTF-8. */
export function textOf(body: Body): string {
  const decoder = new TextDecoder();
  let text = "";
  for (const piece of body()) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}
