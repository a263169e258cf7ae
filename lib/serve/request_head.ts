/** Reads the head of an HTTP request from a connection. */

export interface HttpRequest {
  method: string;
  /** Path and query, as in the request line. */
  url: URL;
  headers: Headers;
  /** Address of the client. */
  remote: string;
}

const MAX_HEAD_BYTES = 16 * 1024;

/** A probe's head has 100 to 300 bytes. */
const FIRST_HEAD_BYTES = 1024;

/** A request that is answered before its path is examined. */
export class BadRequestError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** The head of a request, without the empty line at its end. */
export async function readHead(connection: Deno.Conn): Promise<string | undefined> {
  let buffer = new Uint8Array(FIRST_HEAD_BYTES);
  const decoder = new TextDecoder("latin1");
  for (let length = 0; length < MAX_HEAD_BYTES;) {
    if (length === buffer.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(buffer);
      buffer = larger;
    }
    const read = await connection.read(buffer.subarray(length));
    if (read === null) return undefined;
    length += read;
    const text = decoder.decode(buffer.subarray(0, length));
    const end = text.search(/\r?\n\r?\n/);
    if (end >= 0) return text.slice(0, end);
  }
  throw new BadRequestError(431, "the head of the request is too large");
}

export function requestOf(head: string, connection: Deno.Conn): HttpRequest {
  const [requestLine = "", ...fields] = head.split(/\r?\n/);
  const [, method, target = ""] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(requestLine) ?? [];
  const url = method === undefined ? null : URL.parse(target, "http://sidecar");
  if (method === undefined || url === null) throw new BadRequestError(400, "not an HTTP/1.1 request");
  const headers = new Headers();
  for (const field of fields) {
    const [, name = "", value = ""] = /^([-!#$%&'*+.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(field) ?? [];
    if (name === "") throw new BadRequestError(400, "a header of the request is malformed");
    try {
      headers.append(name, value);
    } catch {
      throw new BadRequestError(400, "a header of the request is malformed");
    }
  }
  const { remoteAddr } = connection;
  return { method, url, headers, remote: remoteAddr.transport === "tcp" ? remoteAddr.hostname : "" };
}
