/**
 * Has the TLS library gather its entropy in another thread, for its first connection not to wait for it.
 *
 * Deno's (AWS-LC) measures the jitter of the processor for that, 40 ms long, when somebody asks for random bytes for the
 * first time; the process then has them for good. A key of this kind is made in a thread of its own (one for AES or HMAC
 * is not), so a program that asks for one before it does anything else has long been served when it connects.
 */
export async function gatherEntropy(): Promise<void> {
  await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}
