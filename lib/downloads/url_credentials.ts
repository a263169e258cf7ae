/**
 * Which credentials go to the host of a `.url` key: the user info of the URL or, without it, the entry of NETRC for that
 * host. They are sent to the URL's own origin only, never to another one that the URL redirects to.
 *
 * REQ_USERNAME, REQ_PASSWORD, REQ_TOKEN_FILE and REQ_HEADERS are for REQ_URL alone and never sent with a download, not even
 * to REQ_URL's origin: everybody who may label an object could then read what the application answers to its admin.
 */
import { authorizationFrom, type AuthorizationSource } from "../http/authorization.ts";

/** A function that returns the `Authorization` header for the URL of a download. It throws BasicAuthError. */
export function authorizationForUrls(
  { netrc, encoding }: Pick<AuthorizationSource, "netrc" | "encoding">,
): (url: URL) => Promise<string | undefined> {
  return authorizationFrom({ netrc, encoding });
}

/** A function that returns the header of a download for each URL on its way: only for those of the first one's origin. */
export function onlyToOrigin(start: URL, authorization: string | undefined): (url: URL) => string | undefined {
  return (url) => url.origin === start.origin ? authorization : undefined;
}
