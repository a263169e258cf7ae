import type { ClusterAccess, Credentials } from "./credentials.ts";

/** Credentials for an API server that needs at most a token, such as the embedded one of the tests. */
export function plainCredentials(server: string, token?: string): Credentials {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const access: ClusterAccess = { server, namespace: "default", headers, skipTlsVerify: false };
  return { origin: "a token", maxAge: Infinity, load: () => Promise.resolve(access) };
}
