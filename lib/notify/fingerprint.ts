/**
 * Iterations of PBKDF2 (OWASP's advice for SHA-256): a tenth of a second, for us and for each guess of an attacker.
 */
const ITERATIONS = 600_000;

const SALT_BYTES = 16;

/**
 * A fingerprint of a text that contains secrets, for a file that others may read. It only shows whether a text is the
 * same. Format: `salt:hash`, both in hex.
 */
export async function fingerprintOf(text: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  return `${salt.toHex()}:${await hash(text, salt)}`;
}

/** Whether a fingerprint belongs to the text. `false` if it is malformed. */
export async function matchesFingerprint(text: string, fingerprint: string): Promise<boolean> {
  const [salt = "", expected] = fingerprint.split(":");
  if (!/^([0-9a-f]{2})+$/.test(salt)) return false;
  return await hash(text, Uint8Array.fromHex(salt)) === expected;
}

async function hash(text: string, salt: Uint8Array<ArrayBuffer>): Promise<string> {
  const password = new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256)).toHex();
}
