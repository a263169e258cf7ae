/** Ports that a process listens on, by the kernel's own tables. */

/** The state LISTEN in `/proc/net/tcp`. */
const LISTEN = "0A";

/** In ascending order; a port that it listens on by IPv4 and IPv6 is there once. */
export function listeningPorts(pid: number): number[] {
  const sockets = new Set(
    [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => linkOf(`/proc/${pid}/fd/${name}`)),
  );
  const ports = ["tcp", "tcp6"].flatMap((table) =>
    tableOf(`/proc/${pid}/net/${table}`).filter(({ state, inode }) =>
      state === LISTEN && sockets.has(`socket:[${inode}]`)
    )
      .map(({ port }) => port)
  );
  return [...new Set(ports)].sort((a, b) => a - b);
}

function tableOf(path: string): { port: number; state: string; inode: string }[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return []; // no IPv6
  }
  return text.trim().split("\n").slice(1).map((line) => {
    const [, local = "", , state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
    return { port: parseInt(local.split(":")[1] ?? "", 16), state, inode };
  });
}

function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // it was closed
  }
}
