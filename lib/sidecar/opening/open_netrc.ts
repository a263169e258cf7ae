import type { Log } from "../../log/log.ts";
import type { NetrcFile } from "../../http/netrc.ts";

/** NETRC; `undefined` when it is not set. */
export async function openNetrc(path: string | undefined, log: Log): Promise<NetrcFile | undefined> {
  if (path === undefined) return undefined;
  const { NetrcFile } = await import("../../http/netrc.ts");
  return new NetrcFile(path, log);
}
