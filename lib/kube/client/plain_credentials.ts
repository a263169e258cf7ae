import type { ClusterAccess, Credentials } from "./credentials.ts";

/** Credentials for an API server that wants a token at most: the embedded one. */
export function plainCredentials(server: string, token?: string): Credentials {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const access: ClusterAccess = { server, namespace: "default", headers, skipTlsVerify: false };
  return { origin: "a token", maxAge: Infinity, load: () => Promise.resolve(access) };
}
