/** Longest values that are kept; a longer one cannot be sent back. */
const MAX_ETAG = 256;
const MAX_URL = 2048;

/** What a later request needs to ask whether the content of a URL is still the same. */
export interface Validators {
  /** The URL that answered, redirects included. */
  readonly url: string;
  /** The credentials that it was sent. */
  readonly authorization: string | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** The validators of an answer; `undefined` if the host offers none. */
export function validatorsOf(
  { status, headers }: Pick<Response, "status" | "headers">,
  { href: url }: URL,
  authorization: string | undefined,
): Validators | undefined {
  if (status !== 200 || url.length > MAX_URL) return undefined;
  const etag = headers.get("etag") ?? undefined;
  if (etag !== undefined && etag.length <= MAX_ETAG && /^(W\/)?"[\x21\x23-\x7e]*"$/.test(etag)) {
    return { url, authorization, etag, lastModified: undefined };
  }
  const lastModified = headers.get("last-modified") ?? "";
  // Within the same second the content may change again without another date
  const isOlder = Date.parse(headers.get("date") ?? "") - Date.parse(lastModified) >= 1000;
  return isOlder && lastModified.length <= 40 ? { url, authorization, etag: undefined, lastModified } : undefined;
}

/** The headers of a conditional request; none unless the URL and the credentials are the same as before. */
export function conditions(
  known: Validators | undefined,
  { href }: URL,
  authorization: string | undefined,
): Record<string, string> {
  if (known === undefined || known.url !== href || known.authorization !== authorization) return {};
  if (known.etag !== undefined) return { "if-none-match": known.etag };
  return known.lastModified === undefined ? {} : { "if-modified-since": known.lastModified };
}
