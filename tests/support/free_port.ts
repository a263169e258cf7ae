import { hasIpv6 } from "./local_servers.ts";

/** Below those that the system gives to connections: one of them would be taken while its server starts again. */
const [FIRST, LAST] = [10_000, 30_000];

const given = new Set<number>();

/** Free at this moment, on every address; given once. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
}

/** On every address. */
export function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: hasIpv6 ? "::" : "0.0.0.0", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
