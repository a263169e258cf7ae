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

/** Where the credentials are; `undefined` if there are none. */
export type Choice = { from: "kubeconfig"; paths: string } | { from: "serviceAccount"; server: string } | undefined;

/**
 * Chooses KUBECONFIG if set, else the service account of the pod, else `~/.kube/config`. As with kubectl, one existing
 * file in a KUBECONFIG list is enough. If none exists, the service account is used.
 */
export function chooseCredentials(options: CredentialsOptions): Choice {
  const { serviceAccountDir } = options;
  const kubeconfig = options.kubeconfig && withHome(options.kubeconfig, options.env.HOME);
  const inCluster = inClusterServer(options.env);
  const hasAccount = inCluster !== undefined && isFile(`${serviceAccountDir}/token`);
  if (kubeconfig !== undefined) {
    if (!hasAccount || kubeconfig.split(":").some(exists)) return { from: "kubeconfig", paths: kubeconfig };
    options.onWarning(
      `KUBECONFIG=${JSON.stringify(kubeconfig)}: no such file, so the service account in ${serviceAccountDir} is used`,
    );
  }
  if (hasAccount) return { from: "serviceAccount", server: inCluster };
  const fallback = fallbackOf(options.env);
  return isFile(fallback) ? { from: "kubeconfig", paths: fallback } : undefined;
}

/** @throws {CredentialsError} there are no credentials */
export async function findCredentials(options: CredentialsOptions): Promise<Credentials> {
  const { serviceAccountDir, env } = options;
  const choice = chooseCredentials(options);
  if (choice?.from === "kubeconfig") return await kubeconfigCredentials(choice.paths);
  if (choice !== undefined) return serviceAccountCredentials(serviceAccountDir, choice.server);
  throw new CredentialsError(
    `no credentials for the API server: KUBECONFIG is not set, there is no ${
      env.HOME ? fallbackOf(env) : "~/.kube/config"
    }, and ` +
      (inClusterServer(env) === undefined
        ? "this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)"
        : `no service account token at ${serviceAccountDir}/token (is automountServiceAccountToken off?)`),
  );
}

function fallbackOf(env: CredentialsOptions["env"]): string {
  return `${env.HOME ?? ""}/.kube/config`;
}

/** Reading a kubeconfig costs memory, so the code for it is loaded only if there is one. */
async function kubeconfigCredentials(paths: string): Promise<Credentials> {
  const { KubeconfigCredentials } = await import("./kubeconfig.ts");
  return new KubeconfigCredentials(paths);
}

/** Replaces `~/` at the start of a path, as Python's client does. A shell does not if it is in quotes. */
export function withHome(paths: string, home = ""): string {
  return home === "" ? paths : paths.replace(/(?<=^|:)~(?=\/)/g, () => home);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A file without permission counts as existing: the error on reading it says why it cannot be used. */
function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}
