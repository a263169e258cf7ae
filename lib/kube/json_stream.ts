/**
 * Decodes the API server's two kinds of long answer straight from bytes, one object at a time: a watch (a JSON value a
 * line) and a list (one JSON object with `items`). Every byte is scanned once and turned into text only when the object
 * it belongs to is complete, so that memory follows the largest object, not the answer.
 */

const NEWLINE = 0x0a, QUOTE = 0x22, BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b, CLOSE_BRACE = 0x7d, OPEN_BRACKET = 0x5b, CLOSE_BRACKET = 0x5d;

/** Chunks may share a buffer: each is done with before the next is asked for. */
type Bytes = AsyncIterable<Uint8Array>;

/**
 * Yields the value of each line; empty lines are passed over, and so is what follows the last newline: a line that was
 * cut says nothing.
 *
 * @throws {SyntaxError} a line that is not JSON
 */
export async function* decodeLines(stream: Bytes): AsyncGenerator<unknown, void> {
  const line = new ByteQueue();
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      line.push(chunk.subarray(start, end));
      start = end + 1;
      const text = line.takeText();
      if (text.trim() !== "") yield JSON.parse(text);
    }
    line.push(chunk.subarray(start));
  }
}

/**
 * Yields each element of a list's `items`. Returns the list without them, once it is complete.
 *
 * @throws {SyntaxError} an answer that is not JSON, or one that was cut
 */
export async function* decodeList(stream: Bytes): AsyncGenerator<unknown, Record<string, unknown>> {
  const item = new ByteQueue();
  const envelope = new ByteQueue();
  let depth = 0;
  /** Inside the array `items` that is a property of the outermost object. */
  let inItems = false;
  let inString = false;
  let escaped = false;
  for await (const chunk of stream) {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (inString) {
        if (escaped) {
          escaped = false;
          at++;
          continue;
        }
        const end = indexOfStringEnd(chunk, at);
        if (end.escaped) escaped = true;
        else if (end.at < chunk.length) inString = false;
        at = end.at + 1;
        continue;
      }
      const byte = chunk[at++];
      if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth++;
        if (depth === 2 && byte === OPEN_BRACKET) {
          envelope.push(chunk.subarray(start, at));
          start = at;
          inItems = envelope.peekText().replace(/\s+/g, "").endsWith('"items":[');
        } else if (inItems && depth === 3) {
          start = at - 1;
        }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth--;
        if (inItems && depth === 2) {
          item.push(chunk.subarray(start, at));
          start = at;
          yield JSON.parse(item.takeText());
        } else if (inItems && depth === 1) {
          inItems = false;
          start = at - 1;
        }
      }
    }
    if (!inItems) envelope.push(chunk.subarray(start));
    else if (depth > 2) item.push(chunk.subarray(start));
  }
  return JSON.parse(envelope.takeText());
}

/** Where a string that goes on at `from` ends: its quote, or past a backslash that is the last byte of the chunk. */
function indexOfStringEnd(chunk: Uint8Array, from: number): { at: number; escaped: boolean } {
  let searchFrom = from;
  while (true) {
    const quote = chunk.indexOf(QUOTE, searchFrom);
    const end = quote < 0 ? chunk.length : quote;
    let backslashes = 0;
    while (end - 1 - backslashes >= searchFrom && chunk[end - 1 - backslashes] === BACKSLASH) backslashes++;
    const odd = backslashes % 2 === 1;
    if (quote < 0) return { at: chunk.length, escaped: odd };
    if (!odd) return { at: quote, escaped: false };
    searchFrom = quote + 1;
  }
}

/** Bytes that wait for their end, in one buffer that is used again: what is decoded leaves no garbage but its text. */
class ByteQueue {
  #buffer = new Uint8Array(4 * 1024);
  #length = 0;

  push(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#length);
    this.#length = length;
  }

  takeText(): string {
    const text = this.peekText();
    this.#length = 0;
    return text;
  }

  peekText(): string {
    return DECODER.decode(this.#buffer.subarray(0, this.#length));
  }
}

const DECODER = new TextDecoder();
