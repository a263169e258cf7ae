/** The API server's address and what authenticates us there. */

/** What a request needs to know of the cluster, as of now. */
export interface ClusterAccess {
  /** Base URL without a trailing slash. */
  server: string;
  /** The namespace that the credentials name. */
  namespace: string;
  /** `Authorization` and the like. */
  headers: Record<string, string>;
  /** Certificate authority, client certificate and its key, as PEM. */
  caCert?: string;
  cert?: string;
  key?: string;
  /** Where the certificates were read, for messages: `/var/run/secrets/kubernetes.io/serviceaccount/ca.crt`. */
  certOrigin?: string;
  /** The name that the server's certificate must carry, when it is not the URL's host. */
  serverName?: string;
  proxy?: string;
  skipTlsVerify: boolean;
}

/** Reads a {@link ClusterAccess}, repeatedly: tokens rotate and certificates are replaced. */
export interface Credentials {
  /** Where they come from, for messages: `the token in /var/run/secrets/kubernetes.io/serviceaccount/token`. */
  readonly origin?: string;
  /**
   * Reads everything anew.
   *
   * @param rejected the API server answered 401 to the previous credentials: nothing cached may be used again
   * @throws {CredentialsError}
   */
  load(rejected: boolean): Promise<ClusterAccess>;
  /** Seconds after which the credentials are read again although nothing failed. */
  readonly maxAge: number;
  /** Loading may run a program: an `exec` plugin of a kubeconfig. */
  readonly runsPrograms?: boolean;
}
