/**
 * Whether one resourceVersion is older than another of the same resource. Versions are numbers in every server that keeps
 * its objects in something like etcd (KEP-5504 makes that a promise); of others nothing can be said, so they never are.
 */
export function isOlderVersion(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b);
}
