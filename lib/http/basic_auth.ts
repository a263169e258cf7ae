import type { Log } from "../log/log.ts";

/** User name or password cannot be read or encoded. */
export class BasicAuthError extends Error {
  override readonly name = "BasicAuthError";
}

export interface BasicAuthCredentials {
  username: string;
  password: string;
}

export interface CredentialsSource {
  username?: string | undefined;
  password?: string | undefined;
  /** Path of a file with the user name; takes precedence over `username` while it can be read. */
  usernameFile?: string | undefined;
  /** Path of a file with the password; takes precedence over `password` while it can be read. */
  passwordFile?: string | undefined;
}

/**
 * A function that returns the current user name and password. It reads files at each call, because Secrets rotate, and
 * drops one newline at their end. As with kiwigrid, it returns `undefined` unless both are set and not empty.
 *
 * A file that cannot be read or is empty is replaced by the variable, with one warning until it can be read again.
 * Without a variable the function throws BasicAuthError for a file that cannot be read.
 */
export function credentialsFrom(
  source: CredentialsSource,
  log: Pick<Log, "info" | "warn">,
): () => Promise<BasicAuthCredentials | undefined> {
  const unreadable = new Set<string>();
  const read = async (path: string | undefined, variable: string, value: string | undefined) => {
    if (!path) return value;
    try {
      const text = await readLine(path);
      if (text === "" && value) throw new BasicAuthError(`The credentials file ${path} is empty`);
      if (unreadable.delete(path)) log.info(`${path} can be read again and is used instead of ${variable}`, { path });
      return text;
    } catch (error) {
      if (!value) throw error;
      if (!unreadable.has(path)) log.warn(`${(error as Error).message}; ${variable} is used instead`, { path });
      unreadable.add(path);
      return value;
    }
  };
  return async () => {
    const username = await read(source.usernameFile, "REQ_USERNAME", source.username);
    const password = await read(source.passwordFile, "REQ_PASSWORD", source.password);
    return username && password ? { username, password } : undefined;
  };
}

/**
 * The `Authorization` value of RFC 7617.
 *
 * @throws BasicAuthError for a character that the encoding does not have
 */
export function basicAuthorization({ username, password }: BasicAuthCredentials, encoding: "latin1" | "utf-8"): string {
  const pair = `${username}:${password}`;
  return `Basic ${(encoding === "utf-8" ? new TextEncoder().encode(pair) : latin1(pair)).toBase64()}`;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    if (code <= 0xff) return code;
    throw new BasicAuthError("The credentials have a character outside latin1: set REQ_BASIC_AUTH_ENCODING=utf-8");
  });
}

async function readLine(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).replace(/\r?\n$/, "");
  } catch (error) {
    throw new BasicAuthError(`The credentials file ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
