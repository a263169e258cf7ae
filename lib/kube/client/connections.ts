/** Connections to the API server: made from credentials, and replaced when those change or a connection fails. */
import type { Clock } from "../../runtime/clock.ts";
import { given } from "../../runtime/given.ts";
import { openTransport } from "../../http/open_transport.ts";
import type { Transport } from "../../http/transport.ts";
import { Deadline } from "../../runtime/deadline.ts";
import { unlessAborted } from "../../runtime/unless_aborted.ts";
import type { ClusterAccess, Credentials } from "./credentials.ts";
import { CredentialsError } from "./errors.ts";

export interface ConnectionOptions {
  credentials: Credentials;
  /** SKIP_TLS_VERIFY: leaves the server's certificate unverified, whatever the credentials say. */
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

/**
 * After a failure the credentials are read again, because a certificate may have been replaced, unless they are younger
 * than this. In seconds.
 */
const FAILURE_MAX_AGE = 5;

/** Seconds for reading credentials: files may be on a dead mount, and the exec plugin of a kubeconfig may hang. */
const MAX_LOAD_SECONDS = 30;

const CERTIFICATE_END = "-----END CERTIFICATE-----";

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

  /**
   * The connection to use after the server answered 401 to `rejected`. Several callers may report the same one.
   *
   * @throws {CredentialsError}
   */
  async afterRejection(rejected: Connection): Promise<Connection> {
    return await this.#unless((current) => current !== rejected, true);
  }

  /** After a failure the next request uses a new connection: this one may be dead. */
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

  /** The current connection when it will do, else a new one, made once for all who ask meanwhile. */
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
      // The previous transport is still open and stays in use
      if (this.#connection === next) this.#connection = previous && Promise.resolve(previous);
    });
    return await next;
  }

  async #load(previous: Connection | undefined, rejected: boolean): Promise<Connection> {
    const access = await this.#loadAccess(rejected);
    const loadedAt = this.#options.clock.now();
    if (previous !== undefined && sameTls(previous.access, access)) return { ...previous, access, loadedAt };
    const transport = this.#transportFor(access);
    // Only now: had the new one failed, the previous one would still be needed
    previous?.transport.close();
    return { access, loadedAt, transport };
  }

  async #loadAccess(rejected: boolean): Promise<ClusterAccess> {
    using deadline = new Deadline(this.#options.clock, MAX_LOAD_SECONDS, new AbortController().signal);
    try {
      return await unlessAborted(this.#options.credentials.load(rejected), deadline.signal);
    } catch (error) {
      if (!deadline.passed) throw error;
      throw new CredentialsError(
        `the credentials for the API server could not be read within ${MAX_LOAD_SECONDS} s: check the mount they are ` +
          "on, or the exec plugin of the kubeconfig",
        { cause: error },
      );
    }
  }

  /** @throws {CredentialsError} what the credentials name makes no transport */
  /** @throws {CredentialsError} what the credentials name makes no transport */
  #transportFor(access: ClusterAccess): Transport {
    const { caCert, cert, key, serverName, proxy, certOrigin = "what the credentials name" } = access;
    const certificates = {
      ...given("caCerts", caCert === undefined ? undefined : [caCert]),
      ...given("cert", cert),
      ...given("key", key),
    };
    const skipTlsVerify = (this.#options.skipTlsVerify || access.skipTlsVerify) && access.server.startsWith("https:");
    try {
      // Deno takes a file without a certificate for one that adds none
      if (caCert?.includes(CERTIFICATE_END) === false) throw new Error("it contains no whole certificate");
      // A transport over node:https would read the certificates at its first connection, too late
      if (skipTlsVerify || serverName !== undefined || proxy !== undefined) openTransport(certificates).close();
      const { env } = this.#options;
      return openTransport({
        env,
        skipTlsVerify,
        ...certificates,
        ...given("serverName", serverName),
        ...given("proxy", proxy),
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message =
        `cannot connect to the API server with ${certOrigin}: ${reason} (is the file still being written?)`;
      throw new CredentialsError(message, { cause });
    }
  }

  #isOlderThan(connection: Connection, seconds: number): boolean {
    return this.#options.clock.now() - connection.loadedAt > seconds * 1000;
  }
}

function sameTls(a: ClusterAccess, b: ClusterAccess): boolean {
  return (["server", "caCert", "cert", "key", "serverName", "proxy", "skipTlsVerify"] as const)
    .every((property) => a[property] === b[property]);
}
