/** `k8s-sidecar print-rbac`: the least Roles and bindings that the settings need, for `kubectl apply -f -`. */
import type { Flags } from "../config/collection_settings.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import { type OwnAccount, ownAccount } from "../kube/client/own_account.ts";
import { neededRights, type Rights } from "../sidecar/needed_rights.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { describeFaults } from "./report.ts";
import { roleManifests } from "./role_manifests.ts";
import { VERSION } from "./version.ts";

export async function runPrintRbac(flags: Flags, env: Record<string, string | undefined>): Promise<ExitCode> {
  const { config, faults } = await loadConfig(env, flags);
  // Rights do not depend on the folder
  const relevant = faults.filter(({ setting }) => setting !== "FOLDER");
  for (const warning of config.warnings) console.error(`warning: ${warning}`);
  if (relevant.length > 0) {
    console.error(describeFaults(relevant));
    return EXIT.configuration;
  }
  const onWarning = (message: string) => console.error(`warning: ${message}`);
  const account = await ownAccount({ ...config.api, env, onWarning });
  console.log(await rbacOf(config, account));
  return EXIT.done;
}

/** The YAML text. */
export async function rbacOf(config: Config, account: OwnAccount): Promise<string> {
  const { namespace, name: accountName = "default" } = account;
  const rights = neededRights(config, namespace);
  const subject = { namespace, name: accountName };
  const name = `k8s-sidecar-${accountName}-${await hashOf([namespace, accountName, ...placesOf(config)])}`;
  return roleManifests(rights.rules, { name, subject, comments: commentsOf(rights, account, config) });
}

/** What tells this sidecar from others with the same service account: its roles must not replace theirs. */
function placesOf({ collections }: Config): string[] {
  return collections.map(({ name, files }) => `${name}=${files.folder}`).sort();
}

function commentsOf(rights: Rights, account: OwnAccount, { collections }: Config): string[] {
  const { namespace, namespaceFrom, name } = account;
  const comments = [`The least rights for these settings; made by k8s-sidecar ${VERSION} print-rbac.`];
  const where = `of the namespace ${namespace}` + (namespaceFrom === undefined ? "" : ` (${namespaceFrom})`);
  comments.push(
    name === undefined
      ? `No token tells the service account: the subject is "default" ${where}. Replace it by the pod's.`
      : `The subject is the service account "${name}" ${where}.`,
  );
  if (namespaceFrom === undefined && collections.some(({ selection }) => selection.namespaces === "OWN")) {
    comments.push(`The pod's own namespace is not known here: "${namespace}" stands for it. Replace it by the pod's.`);
  }
  if (rights.manyNamespaces !== undefined) {
    comments.push(
      `${rights.manyNamespaces} namespaces: the sidecar asks for one watch of the whole cluster first. These Roles do ` +
        "not allow it, so each namespace gets a watch of its own. A ClusterRole needs fewer watches and allows more.",
    );
  }
  if (rights.rules.size === 0) comments.push("The settings select nothing, so no rights are needed.");
  return comments;
}

async function hashOf(parts: readonly string[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(parts)));
  return new Uint8Array(digest).slice(0, 4).toHex();
}
