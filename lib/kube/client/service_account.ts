/** In-cluster credentials; see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
import type { Credentials } from "./credentials.ts";
import { CredentialsError } from "./errors.ts";

/** Seconds. The kubelet replaces projected tokens at 80% of their lifetime; client-go also reads them every minute. */
const TOKEN_MAX_AGE = 60;

/** URL of the API server, from the variables that the kubelet sets in every pod. */
export function inClusterServer(env: Record<string, string | undefined>): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) return undefined;
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Reads `token`, `ca.crt` and `namespace` of a folder. */
export function serviceAccountCredentials(dir: string, server: string): Credentials {
  return {
    origin: `the token in ${dir}/token`,
    maxAge: TOKEN_MAX_AGE,
    async load() {
      const token = (await readFile(`${dir}/token`)).trim();
      if (token === "") throw new CredentialsError(`${dir}/token is empty: the service account has no token`);
      return {
        server,
        namespace: (await readOptionalFile(`${dir}/namespace`))?.trim() || "default",
        headers: { authorization: `Bearer ${token}` },
        caCert: await readFile(`${dir}/ca.crt`),
        certOrigin: `${dir}/ca.crt`,
        skipTlsVerify: false,
      };
    },
  };
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
