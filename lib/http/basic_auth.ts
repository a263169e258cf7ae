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
  /** Path of a file with the user name; wins over `username`. */
  usernameFile?: string | undefined;
  /** Path of a file with the password; wins over `password`. */
  passwordFile?: string | undefined;
}

/**
 * A function that gives the credentials as they are now: files are read at each call, because Secrets rotate, and one
 * newline at their end is dropped. As with kiwigrid, there are none unless user name and password are both there.
 *
 * The function throws BasicAuthError when a file cannot be read.
 */
export function credentialsFrom(source: CredentialsSource): () => Promise<BasicAuthCredentials | undefined> {
  return async () => {
    const username = source.usernameFile ? await readLine(source.usernameFile) : source.username;
    const password = source.passwordFile ? await readLine(source.passwordFile) : source.password;
    return username && password ? { username, password } : undefined;
  };
}

/**
 * The `Authorization` value of RFC 7617.
 *
 * @throws BasicAuthError when the encoding has no such character
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
