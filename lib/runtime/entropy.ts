/**
 * Makes the TLS library gather entropy in another thread, so that the first connection does not wait for it.
 *
 * AWS-LC, Deno's TLS library, measures the jitter of the processor for 40 ms when it needs random bytes for the first time.
 * Deno generates an ECDSA key in another thread (but not one for AES or HMAC), so a program that generates one at its start
 * has entropy by the time it connects.
 */
export async function gatherEntropy(): Promise<void> {
  await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}
