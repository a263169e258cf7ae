/** A resourceVersion as it is kept for each of many objects: a number takes no room of its own in V8. */
export type Version = number | string;

/** The most digits of which every number is exact. */
const SAFE_DIGITS = 15;

export function versionOf(resourceVersion: string): Version {
  return /^[1-9]\d*$/.test(resourceVersion) && resourceVersion.length <= SAFE_DIGITS
    ? Number(resourceVersion)
    : resourceVersion;
}

/**
 * Whether one resourceVersion is older than another of the same resource. Versions are numbers in every server that keeps
 * its objects in something like etcd (KEP-5504 makes that a promise); of others nothing can be said, so they never are.
 */
export function isOlderVersion(a: Version, b: Version): boolean {
  if (typeof a === "number" && typeof b === "number") return a < b;
  return isNumeric(a) && isNumeric(b) && BigInt(a) < BigInt(b);
}

function isNumeric(version: Version): boolean {
  return typeof version === "number" || /^\d+$/.test(version);
}
