import { redactUrl, type Transport } from "./transport.ts";
import { given } from "../runtime/given.ts";

/** Redirects followed for one request. */
const MOST_REDIRECTS = 5;

/** Bytes of an unwanted body that are read so that its connection can be used again; above that, it is closed. */
const MOST_DISCARDED = 65_536;

/** An answer, but not the one that was wanted. */
export class StatusError extends Error {
  override readonly name = "StatusError";

  constructor(readonly status: number, statusText: string) {
    super(`answered ${`${status} ${statusText}`.trim()}`);
  }
}

/** A redirect that is not followed: too many, or to something that is not http. */
export class RedirectError extends Error {
  override readonly name = "RedirectError";
}

export interface FollowOptions {
  method: "GET" | "POST";
  headers?: Record<string, string>;
  /** Body of a POST, sent as application/json. */
  json?: string;
  signal: AbortSignal;
  /** The `Authorization` for this URL. Asked again for each redirect: what belongs to one origin must not reach another. */
  authorizationFor(url: URL): Promise<string | undefined> | string | undefined;
}

/**
 * Sends a request and follows up to five redirects. As browsers and kiwigrid's `requests` do it, a POST stays a POST on
 * 307 and 308, and becomes a GET without a body on 301, 302 and 303. User info in a URL is never sent.
 *
 * @throws RedirectError, TransportError, or the signal's reason
 */
export async function follow(transport: Transport, start: URL, options: FollowOptions): Promise<Response> {
  let { method, json } = options;
  let url = withoutUserInfo(start);
  for (let redirects = 0;; redirects++) {
    const authorization = await options.authorizationFor(url);
    const headers = { ...options.headers };
    if (json !== undefined) headers["content-type"] = "application/json";
    if (authorization !== undefined) headers["authorization"] = authorization;
    const answer = await transport.fetch(url, {
      method,
      headers,
      ...given("body", json),
      signal: options.signal,
    });
    const location = answer.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
    await discard(answer, options.signal);
    if (redirects === MOST_REDIRECTS) throw new RedirectError(`more than ${MOST_REDIRECTS} redirects`);
    url = redirectTarget(location, url);
    if (answer.status < 307) [method, json] = ["GET", undefined];
  }
}

/** Ends an answer whose body nobody wants, so that a short one leaves its connection for the next request. */
export async function discard(answer: Response, signal: AbortSignal): Promise<void> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return;
  try {
    let discarded = 0;
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      discarded += chunk.value.length;
      if (discarded > MOST_DISCARDED) return await reader.cancel();
    }
  } catch {
    // The answer came; how its body ended is of no interest, unless it ended because we were told to stop.
    signal.throwIfAborted();
  }
}

function redirectTarget(location: string, base: URL): URL {
  const target = URL.canParse(location, base) ? new URL(location, base) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return withoutUserInfo(target);
  throw new RedirectError(`redirected to ${redactUrl(location)}, which is not an http or https URL`);
}

function withoutUserInfo(url: URL): URL {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare;
}
