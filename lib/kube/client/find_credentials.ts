import type { Credentials } from "./credentials.ts";
import { CredentialsError } from "./errors.ts";
import { inClusterServer, serviceAccountCredentials } from "./service_account.ts";

export interface CredentialsOptions {
  /** KUBECONFIG: one file, or several with `:` between them. */
  kubeconfig?: string;
  /** SERVICE_ACCOUNT_DIR. */
  serviceAccountDir: string;
  env: Record<string, string | undefined>;
  onWarning(message: string): void;
}

/**
 * Chooses KUBECONFIG when set, else in-cluster credentials where there is a service account, else `~/.kube/config`. Of a
 * list, one file is enough, as for kubectl. When there is none, a service account takes its place.
 *
 * @throws {CredentialsError} there are none
 */
export async function findCredentials(options: CredentialsOptions): Promise<Credentials> {
  const { serviceAccountDir } = options;
  const kubeconfig = options.kubeconfig && withHome(options.kubeconfig, options.env.HOME);
  const inCluster = inClusterServer(options.env);
  const hasAccount = inCluster !== undefined && isFile(`${serviceAccountDir}/token`);
  if (kubeconfig !== undefined) {
    if (!hasAccount || kubeconfig.split(":").some(exists)) return await kubeconfigCredentials(kubeconfig);
    options.onWarning(
      `KUBECONFIG=${JSON.stringify(kubeconfig)}: no such file, so the service account in ${serviceAccountDir} is used`,
    );
  }
  if (hasAccount) return serviceAccountCredentials(serviceAccountDir, inCluster);
  const fallback = `${options.env.HOME ?? ""}/.kube/config`;
  if (isFile(fallback)) return await kubeconfigCredentials(fallback);
  throw new CredentialsError(
    `no credentials for the API server: no KUBECONFIG, no ${fallback}, and ` +
      (inCluster === undefined
        ? "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set as they are in a pod"
        : `no service account token at ${serviceAccountDir}/token (is automountServiceAccountToken off?)`),
  );
}

/** The library that reads kubeconfigs costs 50 MB, so it is loaded only when there is one. */
async function kubeconfigCredentials(paths: string): Promise<Credentials> {
  const { KubeconfigCredentials } = await import("./kubeconfig.ts");
  return new KubeconfigCredentials(paths);
}

/** `~/` at the beginning of a path, which a shell leaves alone in quotes and Python's client replaces. */
function withHome(paths: string, home = ""): string {
  return home === "" ? paths : paths.replace(/(?<=^|:)~(?=\/)/g, () => home);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A file that may not be looked at is there: the error that follows says why it cannot be used. */
function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}
