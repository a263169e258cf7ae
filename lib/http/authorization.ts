import { type BasicAuthCredentials, BasicAuthError, basicAuthorization } from "./basic_auth.ts";
import type { NetrcFile } from "./netrc.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Where credentials for a URL come from. All are read at each use, because Secrets rotate. */
export interface AuthorizationSource {
  /** File with a bearer token. */
  tokenFile?: string | undefined;
  /** The bearer token itself. */
  token?: string | undefined;
  /** User name and password for any URL. */
  credentials?: (() => Promise<BasicAuthCredentials | undefined>) | undefined;
  netrc?: NetrcFile | undefined;
  encoding: "latin1" | "utf-8";
}

/**
 * A function that returns the `Authorization` header for a URL: the token, else the credentials, else the user info of the
 * URL, else the entry of the netrc file. It must be sent to that URL's origin alone.
 *
 * The function throws BasicAuthError when a file cannot be read or holds what a header cannot.
 */
export function authorizationFrom(source: AuthorizationSource): (url: URL) => Promise<string | undefined> {
  return async (url) => {
    if (source.tokenFile !== undefined) return `Bearer ${await readToken(source.tokenFile)}`;
    if (source.token !== undefined) return `Bearer ${source.token}`;
    const credentials = await source.credentials?.() ?? userInfo(url) ?? await source.netrc?.credentialsFor(url);
    return credentials && basicAuthorization(credentials, source.encoding);
  };
}

async function readToken(path: string): Promise<string> {
  let token: string;
  try {
    token = (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new BasicAuthError(`The token file ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (token === "") throw new BasicAuthError(`The token file ${path} is empty`);
  // An error of fetch would quote the header
  if (!/^[\x21-\x7e]+$/.test(token)) throw new BasicAuthError(`The token file ${path} does not hold a single token`);
  return token;
}

function userInfo({ username, password }: URL): BasicAuthCredentials | undefined {
  if (username === "" && password === "") return undefined;
  return { username: decoded(username), password: decoded(password) };
}

/** A "%" that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
