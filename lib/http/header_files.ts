import { BasicAuthError } from "./basic_auth.ts";
import { messageOf } from "../runtime/message_of.ts";

/**
 * A function that returns headers whose values are in files, by their names. It reads the files at each call, because
 * Secrets rotate, and drops blanks around a value.
 *
 * The function throws BasicAuthError when a file cannot be read or holds what a header cannot.
 */
export function headersFromFiles(files: Readonly<Record<string, string>>): () => Promise<Record<string, string>> {
  return async () => {
    const headers: Record<string, string> = {};
    for (const [name, path] of Object.entries(files)) headers[name] = await readHeader(name, path);
    return headers;
  };
}

async function readHeader(name: string, path: string): Promise<string> {
  let value: string;
  try {
    value = (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new BasicAuthError(`The file ${path} of the header ${name} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  // An error of fetch would quote the header
  if (!/^[\x20-\x7e]+$/.test(value)) throw new BasicAuthError(`The file ${path} does not hold the header ${name}`);
  return value;
}
