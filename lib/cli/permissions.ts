/** Giving up what this run will not need. Permissions are fixed when the binary is built, what is needed is known at start. */
import type { Config } from "../config/config.ts";
import type { Credentials } from "../kube/client/credentials.ts";

/**
 * Without SCRIPT nothing is ever run, so nothing can be: not by us, nor by a dependency. What stays is a kubeconfig whose
 * user is an `exec` plugin.
 */
export async function giveUpPermissions(config: Config, credentials: Credentials | undefined): Promise<void> {
  const hasScript = config.collections.some(({ notification }) => notification.script !== undefined);
  if (!hasScript && !credentials?.runsPrograms) await Deno.permissions.revoke({ name: "run" });
}
