import type { Credentials } from "./credentials.ts";
import { CredentialsError } from "./errors.ts";
import { inClusterServer, serviceAccountCredentials } from "./service_account.ts";

export interface CredentialsOptions {
  /** KUBECONFIG: one file, or several with `:` between them. */
  kubeconfig?: string;
  /** SERVICE_ACCOUNT_DIR. */
  serviceAccountDir: string;
  env: Record<string, string | undefined>;
}

/**
 * Chooses KUBECONFIG when set, else in-cluster credentials where there is a service account, else `~/.kube/config`.
 *
 * @throws {CredentialsError} there are none
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
    `no credentials for the API server: no KUBECONFIG, no ${fallback}, and ` +
      (inCluster === undefined
        ? "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set as they are in a pod"
        : `no service account token at ${options.serviceAccountDir}/token (is automountServiceAccountToken off?)`),
  );
}

/** The library that reads kubeconfigs costs 50 MB, so it is loaded only when there is one. */
async function kubeconfigCredentials(paths: string): Promise<Credentials> {
  const { KubeconfigCredentials } = await import("./kubeconfig.ts");
  return new KubeconfigCredentials(paths);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
