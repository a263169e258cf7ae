/** Prometheus' own checks, by the `promtool` command (Debian package prometheus). */

export const PROMTOOL_MISSING = !isThere();

function isThere(): boolean {
  try {
    return new Deno.Command("promtool", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    console.warn("promtool is missing (Debian package prometheus): tests that need it are ignored");
    return false;
  }
}

/** Returns what it printed; an empty text if it has nothing to say. */
export async function promtool(args: string[], input = ""): Promise<{ success: boolean; said: string }> {
  const child = new Deno.Command("promtool", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
