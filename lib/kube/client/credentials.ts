/** Where the API server is and what opens it: read from a service account's files, or from a kubeconfig. */

/** What a request needs to know of the cluster, as it stands now. */
export interface ClusterAccess {
  /** Base URL without a slash at its end. */
  server: string;
  /** The namespace that the credentials name. */
  namespace: string;
  /** `Authorization` and the like. */
  headers: Record<string, string>;
  /** Certificate authority, client certificate and its key, as PEM. */
  caCert?: string;
  cert?: string;
  key?: string;
  /** The name the server's certificate is checked against, when it is not the URL's host. */
  serverName?: string;
  proxy?: string;
  skipTlsVerify: boolean;
}

/** Reads a ClusterAccess again and again: tokens rotate, certificates are replaced. */
export interface Credentials {
  /**
   * Reads everything anew.
   *
   * @param rejected the API server said 401 to what was read last: nothing that was kept may be used again
   * @throws {CredentialsError}
   */
  load(rejected: boolean): Promise<ClusterAccess>;
  /** Seconds after which what was loaded must be read again though nothing went wrong. */
  readonly maxAge: number;
  /** To load may take a program: an `exec` plugin of a kubeconfig. */
  readonly runsPrograms?: boolean;
}

/** Credentials that cannot be read. The message says which file and what to do. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

/** Projected tokens are replaced on disk at 80% of their life; client-go, too, reads them once a minute. */
const TOKEN_MAX_AGE = 60;

export interface CredentialsOptions {
  kubeconfig?: string;
  serviceAccountDir: string;
  env: Record<string, string | undefined>;
}

/**
 * Chooses: KUBECONFIG when set, else in-cluster where there is a service account, else `~/.kube/config`.
 *
 * @throws {CredentialsError} no credentials are to be had
 */
export async function findCredentials(options: CredentialsOptions): Promise<Credentials> {
  if (options.kubeconfig !== undefined) return await kubeconfigCredentials(options.kubeconfig);
  const inCluster = inClusterServer(options.env);
  if (inCluster !== undefined && isFile(`${options.serviceAccountDir}/token`)) {
    return serviceAccountCredentials(options.serviceAccountDir, inCluster);
  }
  const fallback = `${options.env.HOME ?? ""}/.kube/config`;
  if (isFile(fallback)) return await kubeconfigCredentials(fallback);
  throw new CredentialsError(
    `no way to the API server: no KUBECONFIG, no ${fallback}, and ` +
      (inCluster === undefined
        ? "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set as they are in a pod"
        : `no service account token at ${options.serviceAccountDir}/token (is automountServiceAccountToken off?)`),
  );
}

/** The in-cluster address, from the variables that the kubelet sets in every pod. */
function inClusterServer(env: Record<string, string | undefined>): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) return undefined;
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** In-cluster credentials; see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
export function serviceAccountCredentials(dir: string, server: string): Credentials {
  return {
    maxAge: TOKEN_MAX_AGE,
    async load() {
      const token = (await readFile(`${dir}/token`)).trim();
      if (token === "") throw new CredentialsError(`${dir}/token is empty: the service account has no token`);
      return {
        server,
        namespace: (await readOptionalFile(`${dir}/namespace`))?.trim() || "default",
        headers: { authorization: `Bearer ${token}` },
        caCert: await readFile(`${dir}/ca.crt`),
        skipTlsVerify: false,
      };
    },
  };
}

/** The library that reads kubeconfigs is large, so it is loaded only when there is one. */
async function kubeconfigCredentials(paths: string): Promise<Credentials> {
  const { KubeconfigCredentials } = await import("./kubeconfig.ts");
  return new KubeconfigCredentials(paths);
}

/** Credentials for an API server that asks for nothing but perhaps a token: the embedded one. */
export function plainCredentials(server: string, token?: string): Credentials {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const access: ClusterAccess = { server, namespace: "default", headers, skipTlsVerify: false };
  return { maxAge: Infinity, load: () => Promise.resolve(access) };
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new CredentialsError(`cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function readOptionalFile(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
