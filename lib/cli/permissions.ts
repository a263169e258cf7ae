/** Revokes the permissions that this run does not need. They are fixed at compile time, before the settings are known. */
import type { Config } from "../config/config.ts";
import type { Credentials } from "../kube/client/credentials.ts";

/** Only SCRIPT and the exec plugin of a kubeconfig run programs. Without them, no dependency can run one either. */
export async function giveUpPermissions(config: Config, credentials: Credentials | undefined): Promise<void> {
  const hasScript = config.collections.some(({ notification }) => notification.script !== undefined);
  if (!hasScript && !credentials?.runsPrograms) await Deno.permissions.revoke({ name: "run" });
}
