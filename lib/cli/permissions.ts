/**
 * Revokes the permissions that this run does not need. The binary has all of them, because settings are unknown at
 * compile time.
 */
import type { Config } from "../config/config.ts";
import type { Credentials } from "../kube/client/credentials.ts";

export interface PermissionNeeds {
  config: Config;
  /** `undefined` with `--manifests`. */
  credentials: Pick<Credentials, "runsPrograms"> | undefined;
}

/**
 * Afterwards, neither this program nor a dependency can do what the settings do not require:
 *
 * - `run`: only SCRIPT, which later versions of CONFIG_FILE may name, and the exec plugin of a kubeconfig run programs.
 * - `env`: the environment was read already. Only the YAML library and kubeconfigs read it again.
 * - `sys`: only Events contain the host name.
 * - `ffi`: only the C library is allowed, and only PID 1 calls it, for processes that a script leaves behind.
 */
export async function giveUpPermissions({ config, credentials }: PermissionNeeds): Promise<void> {
  const mayHaveScript = config.configFile !== undefined ||
    config.collections.some(({ notification }) => notification.script !== undefined);
  const readsYaml = credentials === undefined || credentials.runsPrograms === true || config.configFile !== undefined;
  if (!mayHaveScript && !credentials?.runsPrograms) await Deno.permissions.revoke({ name: "run" });
  if (!mayHaveScript || Deno.pid !== 1) await Deno.permissions.revoke({ name: "ffi" });
  if (!readsYaml) await Deno.permissions.revoke({ name: "env" });
  if (!config.events) await Deno.permissions.revoke({ name: "sys", kind: "hostname" });
}
