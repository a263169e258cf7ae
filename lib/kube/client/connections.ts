/** Connections to the API server: made from credentials, and made anew when those change or a connection went bad. */
import type { Clock } from "../../runtime/clock.ts";
import { given } from "../../runtime/given.ts";
import { openTransport } from "../../http/open_transport.ts";
import type { Transport } from "../../http/transport.ts";
import type { ClusterAccess, Credentials } from "./credentials.ts";

export interface ConnectionOptions {
  credentials: Credentials;
  /** Do not verify the server's certificate, whatever the credentials say. */
  skipTlsVerify: boolean;
  env: Record<string, string | undefined>;
  clock: Clock;
}

/** Credentials and the transport that was made from them. */
export interface Connection {
  readonly access: ClusterAccess;
  readonly transport: Transport;
  /** By the clock, in ms. */
  readonly loadedAt: number;
}

/** After a failure credentials are read again, for a certificate may have been replaced; but not at each of many failures. */
const FAILURE_MAX_AGE = 5;

export class Connections {
  readonly #options: ConnectionOptions;
  #connection: Promise<Connection> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * The connection to use now. Credentials that are too old are read again.
   *
   * @throws {CredentialsError}
   */
  async current(): Promise<Connection> {
    return await this.#unless((current) => !this.#isOlderThan(current, this.#options.credentials.maxAge), false);
  }

  /** The connection to use after the server said 401 to `rejected`; several callers may say so of the same one. */
  async afterRejection(rejected: Connection): Promise<Connection> {
    return await this.#unless((current) => current !== rejected, true);
  }

  /** After a failure the next request comes over a new connection: one that went dead must not be used again. */
  failed(connection: Connection): void {
    if (!this.#isOlderThan(connection, FAILURE_MAX_AGE)) return;
    this.#connection?.then((current) => {
      if (current !== connection) return;
      connection.transport.close();
      this.#connection = undefined;
    }, () => {});
  }

  close(): void {
    this.#connection?.then(({ transport }) => transport.close(), () => {});
    this.#connection = undefined;
  }

  /** The current connection when it will do, else a new one, which is made once for all who ask meanwhile. */
  async #unless(willDo: (current: Connection) => boolean, rejected: boolean): Promise<Connection> {
    while (true) {
      const asked = this.#connection;
      const current = await asked?.catch(() => undefined);
      if (this.#connection !== asked) continue;
      return current !== undefined && willDo(current) ? current : await this.#replace(current, rejected);
    }
  }

  async #replace(previous: Connection | undefined, rejected: boolean): Promise<Connection> {
    const next = this.#connection = this.#load(previous, rejected);
    next.catch(() => {
      // Its transport is still good, and must be closed by somebody some day
      if (this.#connection === next) this.#connection = previous && Promise.resolve(previous);
    });
    return await next;
  }

  async #load(previous: Connection | undefined, rejected: boolean): Promise<Connection> {
    const access = await this.#options.credentials.load(rejected);
    const loadedAt = this.#options.clock.now();
    if (previous !== undefined && sameTls(previous.access, access)) return { ...previous, access, loadedAt };
    previous?.transport.close();
    return { access, loadedAt, transport: this.#transportFor(access) };
  }

  #transportFor({ caCert, cert, key, serverName, proxy, ...access }: ClusterAccess): Transport {
    return openTransport({
      env: this.#options.env,
      ...given("caCerts", caCert === undefined ? undefined : [caCert]),
      ...given("cert", cert),
      ...given("key", key),
      ...given("serverName", serverName),
      ...given("proxy", proxy),
      skipTlsVerify: (this.#options.skipTlsVerify || access.skipTlsVerify) && access.server.startsWith("https:"),
    });
  }

  #isOlderThan(connection: Connection, seconds: number): boolean {
    return this.#options.clock.now() - connection.loadedAt > seconds * 1000;
  }
}

function sameTls(a: ClusterAccess, b: ClusterAccess): boolean {
  return (["server", "caCert", "cert", "key", "serverName", "proxy", "skipTlsVerify"] as const)
    .every((property) => a[property] === b[property]);
}
