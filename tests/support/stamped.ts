/** Content that proves by itself that it is whole, which object it came from, and which version of it. */

export interface Stamp {
  /** Where it belongs. */
  id: string;
  /** Greater in each later version. */
  version: number;
}

/** The head says how long the rest is and what its hash is; the rest has characters of one to four bytes. */
export function stamped(id: string, version: number, characters: number): string {
  const rest = `${version} äß€漢😀 ${id}\n`.repeat(Math.ceil(characters / 20)).slice(0, characters).toWellFormed();
  const bytes = new TextEncoder().encode(rest);
  return `${id} ${version} ${bytes.length} ${hashOf(bytes)}\n${rest}`;
}

/** `undefined`: it is not whole, or a mixture. */
export function stampOf(bytes: Uint8Array): Stamp | undefined {
  const end = bytes.indexOf(0x0a);
  const [id, version, size, hash] = new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))).split(" ");
  const rest = bytes.subarray(end + 1);
  const isWhole = id !== undefined && rest.length === Number(size) && hashOf(rest) === Number(hash);
  return isWhole ? { id, version: Number(version) } : undefined;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
