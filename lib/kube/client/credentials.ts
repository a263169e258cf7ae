/** The address of the API server and the credentials for it. */

/** The current access to a cluster. */
export interface ClusterAccess {
  /** Base URL without a trailing slash. */
  server: string;
  /** The namespace in the credentials. */
  namespace: string;
  /** `Authorization` and the like. */
  headers: Record<string, string>;
  /** Certificate authority, client certificate and its key, as PEM. */
  caCert?: string;
  cert?: string;
  key?: string;
  /** The file that the certificates come from, for messages: `/var/run/secrets/kubernetes.io/serviceaccount/ca.crt`. */
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
   * Reads everything again.
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
