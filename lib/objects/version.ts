/** A resourceVersion in the form that is stored for each object: V8 needs no extra memory for most numbers. */
export type Version = number | string;

/** The maximum number of digits with which every number is exact. */
const SAFE_DIGITS = 15;

export function versionOf(resourceVersion: string): Version {
  return /^[1-9]\d*$/.test(resourceVersion) && resourceVersion.length <= SAFE_DIGITS
    ? Number(resourceVersion)
    : resourceVersion;
}

/**
 * Whether one resourceVersion is older than another of the same resource. Servers with a storage like etcd use numbers
 * (KEP-5504 guarantees that). Versions that are not numbers cannot be compared: the result is `false`.
 */
export function isOlderVersion(a: Version, b: Version): boolean {
  if (typeof a === "number" && typeof b === "number") return a < b;
  return isNumeric(a) && isNumeric(b) && BigInt(a) < BigInt(b);
}

function isNumeric(version: Version): boolean {
  return typeof version === "number" || /^\d+$/.test(version);
}
