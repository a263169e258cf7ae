/** Revokes the permissions that this run does not need. They are fixed at compile time, before the settings are known. */
import type { Config } from "../config/config.ts";
import type { Credentials } from "../kube/client/credentials.ts";

export interface PermissionNeeds {
  config: Config;
  /** `undefined` with `--manifests`. */
  credentials: Pick<Credentials, "runsPrograms"> | undefined;
}

/**
 * After this, neither this program nor a dependency can do what no setting asks for:
 *
 * - `run`: only SCRIPT and the exec plugin of a kubeconfig run programs.
 * - `env`: the environment was read. The YAML library and kubeconfigs look at it again.
 * - `sys`: only Events name the host.
 */
export async function giveUpPermissions({ config, credentials }: PermissionNeeds): Promise<void> {
  const hasScript = config.collections.some(({ notification }) => notification.script !== undefined);
  const readsYaml = credentials === undefined || credentials.runsPrograms === true;
  if (!hasScript && !credentials?.runsPrograms) await Deno.permissions.revoke({ name: "run" });
  if (!readsYaml) await Deno.permissions.revoke({ name: "env" });
  if (!config.events) await Deno.permissions.revoke({ name: "sys", kind: "hostname" });
}
