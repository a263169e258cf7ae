import type { Log } from "../log/log.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { BasicAuthCredentials } from "./basic_auth.ts";

/** The text is not a netrc file. The message names the line and quotes nothing, because a password may be there. */
export class NetrcError extends Error {
  override readonly name = "NetrcError";
}

export type NetrcEntries = ReadonlyMap<string, BasicAuthCredentials>;

/** The name of the entry for hosts that no other entry names. No host is called that. */
const DEFAULT = "";

/**
 * Reads the entries of a netrc file, by host, as Python's `netrc` module does: `machine NAME` or `default`, then `login` (or
 * `user`), `account` and `password` in any order. A value may be in double quotes, a backslash quotes one character, `#` in
 * the place of a keyword begins a comment, and `macdef` goes on to an empty line. The last entry of a host counts.
 *
 * @throws NetrcError
 */
export function parseNetrc(text: string): NetrcEntries {
  const words = new Words(text);
  const entries = new Map<string, BasicAuthCredentials>();
  let entry: { host: string; login: string; account: string; password: string } | undefined;
  const finish = () => {
    if (entry === undefined) return;
    const { host, login, account, password } = entry;
    entries.set(host, { username: login || account, password });
    entry = undefined;
  };
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word.startsWith("#")) words.skipLine();
    else if (word === "machine") {
      finish();
      entry = { host: words.value().toLowerCase(), login: "", account: "", password: "" };
    } else if (word === "default") {
      finish();
      entry = { host: DEFAULT, login: "", account: "", password: "" };
    } else if (word === "macdef") {
      finish();
      words.skipMacro();
    } else if (entry === undefined) throw new NetrcError(`line ${words.line} is not an entry`);
    else if (word === "login" || word === "user") entry.login = words.value();
    else if (word === "account" || word === "password") entry[word] = words.value();
    else throw new NetrcError(`line ${words.line} has something other than login, account and password`);
  }
  finish();
  return entries;
}

/** The words of a netrc file, separated by white space. */
class Words {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The number of the current line, from 1. */
  get line(): number {
    return this.#text.slice(0, this.#at).split("\n").length;
  }

  /** `undefined` at the end. */
  next(): string | undefined {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
    if (this.#at >= this.#text.length) return undefined;
    const quote = this.#text[this.#at] === '"';
    if (quote) this.#at++;
    const end = quote ? /"/ : /\s/;
    let word = "";
    for (let char = this.#text[this.#at]; char !== undefined && !end.test(char); char = this.#text[this.#at]) {
      if (char === "\\") char = this.#text[++this.#at] ?? "";
      word += char;
      this.#at++;
    }
    if (quote) this.#at++;
    return word;
  }

  value(): string {
    const line = this.line;
    const word = this.next();
    if (word === undefined) throw new NetrcError(`line ${line} ends without a value`);
    return word;
  }

  /** Goes on to the end of the line of the last word. */
  skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  /** Goes on to the next empty line. */
  skipMacro(): void {
    const end = /\n[ \t\r]*\n/g;
    end.lastIndex = this.#at;
    this.#at = end.exec(this.#text) === null ? this.#text.length : end.lastIndex;
  }
}

/** Credentials of a netrc file, which is read at each use. */
export class NetrcFile {
  readonly #path: string;
  readonly #log: Pick<Log, "info" | "warn">;
  #warning = "";

  constructor(path: string, log: Pick<Log, "info" | "warn">) {
    this.#path = path;
    this.#log = log;
  }

  /** Of the entry for the URL's host, else of `default`. A file that cannot be read has none, and is one warning. */
  async credentialsFor({ hostname }: URL): Promise<BasicAuthCredentials | undefined> {
    const entries = await this.#read();
    return entries?.get(hostname.replace(/^\[|\]$/g, "")) ?? entries?.get(DEFAULT);
  }

  async #read(): Promise<NetrcEntries | undefined> {
    try {
      const entries = parseNetrc(await Deno.readTextFile(this.#path));
      if (this.#warning !== "") this.#log.info(`NETRC ${this.#path} can be used again`, { path: this.#path });
      this.#warning = "";
      return entries;
    } catch (error) {
      const warning = `NETRC ${this.#path} cannot be used: ${messageOf(error)}`;
      if (warning !== this.#warning) this.#log.warn(warning, { path: this.#path });
      this.#warning = warning;
      return undefined;
    }
  }
}
