/**
 * Decodes the API server's two kinds of long answers while they arrive: a watch (one JSON value per line) and a list
 * (one JSON object with `items`). The values that a chunk completes are yielded together. Bytes are decoded only when
 * their object is complete, so memory depends on the largest object, not on the size of the answer.
 */

const NEWLINE = 0x0a;

/** Chunks may share a buffer: each is processed before the next is read. */
type Bytes = AsyncIterable<Uint8Array>;

/**
 * Yields the values of the lines that each chunk completes. Skips empty lines, and a last line without a
 * newline, because it was cut.
 *
 * @throws {SyntaxError} for a line that is not JSON, after the values before it
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
 * A list in the format of the API server, up to the first key of its first item: no spaces, and only strings and flat
 * objects before `items`. A list in another format, for example from a proxy, is decoded when it is complete.
 */
const HEAD = /^(\{(?:"\w+":(?:"[^"\\]*"|\{[^{}[\]]*\}),)*"items":\[)(\{"\w+":)/;

/** Bytes within which {@link HEAD} must match. */
const MAX_HEAD_BYTES = 32 * 1024;

/**
 * Yields the elements of a list's `items` that each chunk completes. Returns the list without them, once it is
 * complete.
 *
 * An item ends where the next one begins with the same first key as the first item. JSON.parse verifies this, because
 * no prefix of a JSON object is itself a JSON object. Counting braces would take three times as long as all the rest.
 *
 * @throws {SyntaxError} for an answer that is not a JSON object or was cut, after the items that are complete
 */
export async function* decodeList(stream: Bytes): AsyncGenerator<unknown[], Record<string, unknown>> {
  const bytes = new ByteQueue();
  let head = "";
  /** The text between two items; `undefined` while the format is unknown, `null` if it is not the expected one. */
  let between: string | null | undefined;
  for await (const chunk of stream) {
    let searched = bytes.length;
    bytes.push(chunk);
    if (between === undefined) {
      const [, start = "", key] = HEAD.exec(bytes.peekCharacters(0, MAX_HEAD_BYTES)) ?? [];
      head = bytes.takeText(start.length);
      searched = 0;
      if (key !== undefined) between = `},${key}`;
      else if (bytes.length >= MAX_HEAD_BYTES) between = null;
    }
    if (typeof between !== "string") continue;
    const { items, ended } = takeItems(bytes, between, Math.max(0, searched - between.length));
    if (!ended) between = null;
    if (items.length > 0) yield items;
  }
  const list = JSON.parse(head + bytes.takeText());
  if (typeof list !== "object" || list === null) throw new SyntaxError("the answer is not a JSON object");
  const { items, ...envelope } = list;
  if (Array.isArray(items) && items.length > 0) yield items;
  return envelope;
}

/**
 * Takes the items that are followed by another one. `ended`: each of them was valid JSON.
 *
 * @param between the text between two items. It cannot occur in a string, where its quotes would be escaped
 * @param from index to search it from
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

/** One character per byte. */
const SINGLE_BYTE = new TextDecoder("latin1");

/** Bytes of incomplete values, in one reused buffer, so that decoding allocates only the text. */
class ByteQueue {
  #buffer = new Uint8Array(0);
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

  /** Removes the first bytes. */
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

  /** Text for searching: the index of each character is that of its byte, counted from `start`. */
  peekCharacters(start: number, end = this.#length): string {
    return SINGLE_BYTE.decode(this.#buffer.subarray(start, Math.min(end, this.#length)));
  }
}
