/**
 * Connections to the API server, made from credentials and replaced when the credentials change or a connection fails.
 */
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
  /** SKIP_TLS_VERIFY: do not verify the server's certificate, even if the credentials require it. */
  skipTlsVerify: boolean;
  env: Record<string, string | undefined>;
  clock: Clock;
}

/** Credentials and their transport. */
export interface Connection {
  readonly access: ClusterAccess;
  readonly transport: Transport;
  /** By the clock, in ms. */
  readonly loadedAt: number;
}

/**
 * Minimum age of credentials, in seconds, before a failure makes us read them again. A certificate may have been
 * replaced.
 */
const FAILURE_MAX_AGE = 5;

/** Maximum seconds to read credentials: a mount may be dead, and the exec plugin of a kubeconfig may hang. */
const MAX_LOAD_SECONDS = 30;

const CERTIFICATE_END = "-----END CERTIFICATE-----";

export class Connections {
  readonly #options: ConnectionOptions;
  #connection: Promise<Connection> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * The current connection. Credentials older than their `maxAge` are read again.
   *
   * @throws {CredentialsError}
   */
  async current(): Promise<Connection> {
    return await this.#unless((current) => !this.#isOlderThan(current, this.#options.credentials.maxAge), false);
  }

  /**
   * A new connection, after the server answered 401 to `rejected`. Several callers may report the same rejection.
   *
   * @throws {CredentialsError}
   */
  async afterRejection(rejected: Connection): Promise<Connection> {
    return await this.#unless((current) => current !== rejected, true);
  }

  /**
   * The namespace in the credentials, which may be known before their certificates can be used.
   *
   * @throws {CredentialsError}
   */
  async namespace(): Promise<string> {
    const current = await this.#connection?.catch(() => undefined);
    return (current?.access ?? await this.#loadAccess(false)).namespace;
  }

  /** Reports a failure. The connection may be dead, so the next request uses a new one. */
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

  /** The current connection if `willDo` accepts it, else a new one. Concurrent callers share the new one. */
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
    // Close the previous transport last: if creating the new one fails, it stays in use
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

  /** @throws {CredentialsError} the certificates cannot be used */
  #transportFor(access: ClusterAccess): Transport {
    const { caCert, cert, key, serverName, proxy, certOrigin = "the certificates of the credentials" } = access;
    const certificates = {
      ...given("caCerts", caCert === undefined ? undefined : [caCert]),
      ...given("cert", cert),
      ...given("key", key),
    };
    const skipTlsVerify = (this.#options.skipTlsVerify || access.skipTlsVerify) && access.server.startsWith("https:");
    try {
      // Deno accepts a file without a certificate
      if (caCert?.includes(CERTIFICATE_END) === false) throw new Error("it contains no whole certificate");
      // A transport over node:https parses certificates only when it connects, so parse them here first
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
