/** IP addresses and ranges, as text. */

/** The bits of an address: 32 or 128 digits 0 and 1. `undefined` for anything else. */
export function addressBits(address: string): string | undefined {
  const binary = (value: number, width: number) => value.toString(2).padStart(width, "0");
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    const parts = address.split(".").map(Number);
    return parts.every((part) => part <= 255) ? parts.map((part) => binary(part, 8)).join("") : undefined;
  }
  // A zone, as in fe80::1%eth0, is not part of the address
  const [plain = ""] = address.split("%");
  if (!plain.includes(":") || !URL.canParse(`http://[${plain}]`)) return undefined;
  const [head = "", tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split("::");
  const groups = (text = "") => text === "" ? [] : text.split(":");
  const zeros = Array(tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length).fill("0");
  return [...groups(head), ...zeros, ...groups(tail)].map((group) => binary(parseInt(group, 16), 16)).join("");
}

/** Whether `range`, an address or a CIDR, covers an address. False if either is not one. */
export function rangeCovers(range: string, address: string): boolean {
  const [network = "", length] = range.split("/");
  const [networkBits, bits] = [addressBits(network), addressBits(address)];
  if (networkBits === undefined || bits === undefined || networkBits.length !== bits.length) return false;
  const compared = length === undefined ? networkBits.length : Number(length);
  return networkBits.slice(0, compared) === bits.slice(0, compared);
}

/** Whether text is an address or a CIDR. */
export function isRange(text: string): boolean {
  const [network = "", length, ...rest] = text.split("/");
  const bits = addressBits(network);
  if (bits === undefined || rest.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits.length);
}

/** Prefixes of IPv6 addresses that lead to the IPv4 address at the place that follows, by number of bits. */
const EMBEDDED: readonly [range: string, at: number][] = [
  /** IPv4-mapped, RFC 4291. */
  ["::ffff:0:0/96", 96],
  /** IPv4-compatible, RFC 4291. */
  ["::/96", 96],
  /** NAT64, RFC 6052. */
  ["64:ff9b::/96", 96],
  /** 6to4, RFC 3056. */
  ["2002::/16", 16],
];

/** The IPv4 address that an IPv6 address leads to; `undefined`: none. */
export function embeddedIpv4(address: string): string | undefined {
  const bits = addressBits(address);
  if (bits?.length !== 128 || address === "::" || address === "::1") return undefined;
  const at = EMBEDDED.find(([range]) => rangeCovers(range, address))?.[1];
  if (at === undefined) return undefined;
  return [0, 8, 16, 24].map((offset) => parseInt(bits.slice(at + offset, at + offset + 8), 2)).join(".");
}
