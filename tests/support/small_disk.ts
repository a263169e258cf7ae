/** A program with a small disk at a folder: only for it, and only while it runs. */

/** Becomes the program that follows the folder. */
const WITH_SMALL_DISK = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
const MOUNT = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"';

/** What a program is started through. */
export function withSmallDisk(folder: string): string[] {
  return [...WITH_SMALL_DISK, MOUNT, folder];
}

export async function canMountSmallDisk(): Promise<boolean> {
  const dir = await Deno.makeTempDir();
  try {
    const [program = "", ...args] = [...withSmallDisk(dir), "true"];
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  } finally {
    await Deno.remove(dir);
  }
}
