import { headersFrom, redactUrl, type Transport } from "./transport.ts";
import { given } from "../runtime/given.ts";

/** Redirects followed for one request. */
const MAX_REDIRECTS = 5;

/** Bytes of a discarded body that are read to reuse its connection; the connection of a longer body is closed. */
const MAX_DISCARDED_BYTES = 65_536;

/** An answer with an unsuccessful status. */
export class StatusError extends Error {
  override readonly name = "StatusError";

  constructor(readonly status: number, statusText: string) {
    super(`answered ${`${status} ${statusText}`.trim()}`);
  }
}

/** A redirect that is not followed: one too many, to a URL that is not http, or to another origin. */
export class RedirectError extends Error {
  override readonly name = "RedirectError";
}

export interface FollowOptions {
  method: "GET" | "POST";
  headers?: Record<string, string>;
  /** Body of a POST, sent as application/json. */
  json?: string;
  signal: AbortSignal;
  /** A redirect to another origin is an error. */
  sameOrigin?: boolean;
  /** The `Authorization` for a URL. Called for each redirect, so that credentials do not reach another origin. */
  authorizationFor(url: URL): Promise<string | undefined> | string | undefined;
  /** More headers for a URL that is asked with an `Authorization`. Called for each redirect; the last call is for the answer. */
  headersFor?(url: URL, authorization: string | undefined): Record<string, string>;
}

/**
 * Sends a request and follows up to five redirects. As in browsers and in kiwigrid's `requests`, a POST stays a POST on
 * 307 and 308, and becomes a GET without a body on 301, 302 and 303. User info in a URL is never sent. `headers` take
 * precedence over what this function would set.
 *
 * @throws RedirectError, TransportError, or the signal's reason
 */
export async function follow(transport: Transport, start: URL, options: FollowOptions): Promise<Response> {
  let { method, json } = options;
  let url = withoutUserInfo(start);
  for (let redirects = 0;; redirects++) {
    const authorization = await options.authorizationFor(url);
    const headers = headersFrom({
      ...(authorization !== undefined && { authorization }),
      ...lowerCase(options.headers),
      ...options.headersFor?.(url, authorization),
    });
    if (json !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
    const answer = await transport.fetch(url, {
      method,
      headers,
      ...given("body", json),
      signal: options.signal,
    });
    const location = answer.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
    await discard(answer, options.signal);
    if (redirects === MAX_REDIRECTS) throw new RedirectError(`more than ${MAX_REDIRECTS} redirects`);
    const target = redirectTarget(location, url);
    if (options.sameOrigin && target.origin !== url.origin) {
      throw new RedirectError(`answered ${answer.status}, a redirect to another origin (${redactUrl(target)})`);
    }
    url = target;
    if (answer.status < 307) [method, json] = ["GET", undefined];
  }
}

/** Discards the body of an answer. A short body is read, so that its connection can be reused. */
export async function discard(answer: Response, signal: AbortSignal): Promise<void> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return;
  try {
    let discarded = 0;
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      discarded += chunk.value.length;
      if (discarded > MAX_DISCARDED_BYTES) return await reader.cancel();
    }
  } catch {
    // The answer itself arrived, so an error in its body does not matter, unless it is the signal's
    signal.throwIfAborted();
  }
}

function redirectTarget(location: string, base: URL): URL {
  const target = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return withoutUserInfo(target);
  throw new RedirectError(`redirected to ${redactUrl(location)}, which is not an http or https URL`);
}

/** Names in lower case, so that a header that is set takes precedence whatever its case. */
function lowerCase(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function withoutUserInfo(url: URL): URL {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare;
}
