/** Trust in the CAs of files. */
import type { Log } from "../log/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import { openTransport } from "./open_transport.ts";
import { type Transport, TransportError, type TransportOptions } from "./transport.ts";

/** Seconds; the files are read again after a failure of TLS, but not sooner than this. */
const MIN_AGE_SECONDS = 60;

export interface CaFilesOptions {
  /** PEM files. */
  files: readonly string[];
  transport: TransportOptions;
  clock: Clock;
  log: Pick<Log, "info" | "warn">;
}

/**
 * A {@link Transport} that trusts the CAs of `files` besides the system's. When a server's certificate is not trusted, the
 * files are read again, once a minute at most; if they have changed, the request is sent once more.
 */
export async function openTransportWithCaFiles(options: CaFilesOptions): Promise<Transport> {
  const trust = new CaFiles(options);
  await trust.read();
  return {
    async fetch(url, init) {
      const { transport } = trust;
      try {
        return await transport.fetch(url, init);
      } catch (error) {
        if (!isUntrusted(error)) throw error;
        await trust.read();
        if (trust.transport === transport) throw error;
        return await trust.transport.fetch(url, init);
      }
    },
    close: () => trust.close(),
  };
}

class CaFiles {
  readonly #options: CaFilesOptions;
  readonly #warned = new Set<string>();
  #readAt = -Infinity;
  #text = "";
  #isClosed = false;
  transport: Transport;

  constructor(options: CaFilesOptions) {
    this.#options = options;
    this.transport = openTransport(options.transport);
  }

  /** Opens another transport if the files have changed. */
  async read(): Promise<void> {
    const { files, transport, clock } = this.#options;
    if (clock.now() - this.#readAt < MIN_AGE_SECONDS * 1000) return;
    this.#readAt = clock.now();
    const caCerts: string[] = [];
    for (const file of new Set(files)) caCerts.push(...await this.#readFile(file));
    const text = caCerts.join("\n");
    if (text === this.#text || this.#isClosed) return;
    this.#text = text;
    const before = this.transport;
    this.transport = openTransport({ ...transport, caCerts });
    before.close();
  }

  async #readFile(file: string): Promise<string[]> {
    try {
      const text = await Deno.readTextFile(file);
      if (!text.includes("-----BEGIN CERTIFICATE-----")) throw new Error("it holds no certificate in PEM");
      // Throws for what is no certificate
      Deno.createHttpClient({ caCerts: [text] }).close();
      if (this.#warned.delete(file)) this.#options.log.info(`CAs of ${file} are trusted again`, { path: file });
      return [text];
    } catch (error) {
      const warning = `CAs of ${file} are not trusted: ${messageOf(error)}`;
      if (!this.#warned.has(file)) this.#options.log.warn(warning, { path: file });
      this.#warned.add(file);
      return [];
    }
  }

  close(): void {
    this.#isClosed = true;
    this.transport.close();
  }
}

function isUntrusted(error: unknown): boolean {
  return error instanceof TransportError && error.phase === "connect" && /certificate|issuer/i.test(error.message);
}
