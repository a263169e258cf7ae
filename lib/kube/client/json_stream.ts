/**
 * Decodes the API server's two kinds of long answer from bytes as they come: a watch (a JSON value a line) and a list (one
 * JSON object with `items`). What each chunk completes is yielded together. A byte is turned into text only when the
 * object it belongs to is complete, so that memory follows the largest object, not the answer.
 */

const NEWLINE = 0x0a;

/** Chunks may share a buffer: each is done with before the next is asked for. */
type Bytes = AsyncIterable<Uint8Array>;

/**
 * Yields the values of the lines that each chunk completes; empty lines are passed over, and so is what follows the last
 * newline: a line that was cut says nothing.
 *
 * @throws {SyntaxError} a line that is not JSON, after the lines before it
 */
export async function* decodeLines(stream: Bytes): AsyncGenerator<unknown[], void> {
  const bytes = new ByteQueue();
  for await (const chunk of stream) {
    const values: unknown[] = [];
    try {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        bytes.push(chunk.subarray(start, end));
        start = end + 1;
        const line = bytes.takeText();
        if (line.trim() !== "") values.push(JSON.parse(line));
      }
      bytes.push(chunk.subarray(start));
    } catch (error) {
      if (values.length > 0) yield values;
      throw error;
    }
    if (values.length > 0) yield values;
  }
}

/**
 * A list as the API server writes it, up to the first key of its first item: no space, and nothing before `items` but text
 * and flat objects. One of any other shape, as a proxy may make it, is decoded when it is complete.
 */
const HEAD = /^(\{(?:"\w+":(?:"[^"\\]*"|\{[^{}[\]]*\}),)*"items":\[)(\{"\w+":)/;

/** A beginning that is longer is not a list's. */
const LONGEST_HEAD = 32 * 1024;

/**
 * Yields the elements of a list's `items` that each chunk completes. Returns the list without them, once it is complete.
 *
 * The end of an item is where another one begins: with the key that the first began with. JSON.parse says whether it was,
 * for no beginning of a JSON object is a JSON object. Counting braces instead takes three times as long as all the rest.
 *
 * @throws {SyntaxError} an answer that is no JSON object, or one that was cut, after the items that came whole
 */
export async function* decodeList(stream: Bytes): AsyncGenerator<unknown[], Record<string, unknown>> {
  const bytes = new ByteQueue();
  let head = "";
  /** What is between two items; `undefined` while the shape is not known, `null` when it is another one. */
  let between: string | null | undefined;
  for await (const chunk of stream) {
    let searched = bytes.length;
    bytes.push(chunk);
    if (between === undefined) {
      const [, start = "", key] = HEAD.exec(bytes.peekCharacters(0, LONGEST_HEAD)) ?? [];
      head = bytes.takeText(start.length);
      searched = 0;
      if (key !== undefined) between = `},${key}`;
      else if (bytes.length >= LONGEST_HEAD) between = null;
    }
    if (typeof between !== "string") continue;
    const { items, ended } = takeItems(bytes, between, Math.max(0, searched - between.length));
    if (!ended) between = null;
    if (items.length > 0) yield items;
  }
  const list = JSON.parse(head + bytes.takeText());
  if (typeof list !== "object" || list === null) throw new SyntaxError("the answer is no JSON object");
  const { items, ...envelope } = list;
  if (Array.isArray(items) && items.length > 0) yield items;
  return envelope;
}

/**
 * Takes the items that are followed by another one. `ended`: each was where it seemed to be.
 *
 * @param between what stands between two items. In a string its quotes would have backslashes
 * @param from where to search for it; before that it is not
 */
function takeItems(bytes: ByteQueue, between: string, from: number): { items: unknown[]; ended: boolean } {
  const items: unknown[] = [];
  const characters = bytes.peekCharacters(from);
  let start = 0;
  try {
    for (let at = characters.indexOf(between); at >= 0; at = characters.indexOf(between, at + 1)) {
      const end = from + at + 1;
      items.push(JSON.parse(bytes.peekText(start, end)));
      start = end + 1;
    }
    return { items, ended: true };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { items, ended: false };
  } finally {
    bytes.drop(start);
  }
}

const UTF8 = new TextDecoder();

/** One character for each byte, whatever it is. */
const SINGLE_BYTE = new TextDecoder("latin1");

/** Bytes that wait for their end, in one buffer that is used again: what is decoded leaves no garbage but its text. */
class ByteQueue {
  #buffer = new Uint8Array(4 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

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

  /** Forgets the first bytes. */
  drop(count: number): void {
    if (count > 0) this.#buffer.copyWithin(0, count, this.#length);
    this.#length -= count;
  }

  takeText(length = this.#length): string {
    const text = this.peekText(0, length);
    this.drop(length);
    return text;
  }

  peekText(start: number, end: number): string {
    return UTF8.decode(this.#buffer.subarray(start, end));
  }

  /** To be searched: the index of a character is that of its byte, counted from `start`. */
  peekCharacters(start: number, end = this.#length): string {
    return SINGLE_BYTE.decode(this.#buffer.subarray(start, Math.min(end, this.#length)));
  }
}
