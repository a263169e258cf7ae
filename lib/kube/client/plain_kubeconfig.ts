/**
 * Reads the most common kubeconfigs without `@kubernetes/client-node`, which costs 9 MB: one file, whose user has a token
 * or a client certificate.
 */
import { given } from "../../runtime/given.ts";
import type { ClusterAccess } from "./credentials.ts";

type Fields = Record<string, unknown>;

const CLUSTER_FIELDS: ReadonlySet<string> = new Set([
  "server",
  "certificate-authority",
  "certificate-authority-data",
  "insecure-skip-tls-verify",
  // Notes of tools such as minikube
  "extensions",
]);

const USER_FIELDS: ReadonlySet<string> = new Set([
  "token",
  "client-certificate",
  "client-certificate-data",
  "client-key",
  "client-key-data",
]);

/**
 * `undefined`: the library must read it, because it uses something else, or to find out what is wrong.
 *
 * @throws {Deno.errors.*} a certificate or a key cannot be read
 */
export async function readPlainKubeconfig(paths: readonly string[]): Promise<ClusterAccess | undefined> {
  const [path] = paths;
  if (path === undefined || paths.length > 1) return undefined;
  let config: unknown;
  try {
    const text = await Deno.readTextFile(path);
    const { parse } = await import("../../runtime/yaml_library.ts");
    config = parse(text, { logLevel: "error" });
  } catch {
    return undefined;
  }
  if (!isFields(config)) return undefined;
  const context = entryOf(config.contexts, config["current-context"], "context");
  const cluster = context && entryOf(config.clusters, context.cluster, "cluster");
  const user = context && entryOf(config.users, context.user, "user");
  if (!hasOnly(cluster, CLUSTER_FIELDS) || !hasOnly(user, USER_FIELDS)) return undefined;
  const { server, "insecure-skip-tls-verify": skipTlsVerify = false } = cluster;
  const { namespace = "default" } = context ?? {};
  const { token } = user;
  if (typeof server !== "string" || typeof namespace !== "string" || typeof skipTlsVerify !== "boolean") {
    return undefined;
  }
  if (token !== undefined && (typeof token !== "string" || token === "")) return undefined;
  if (areAmbiguous(cluster, ["certificate-authority"])) return undefined;
  if (areAmbiguous(user, ["client-certificate", "client-key"])) return undefined;
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "./";
  const caFile = cluster["certificate-authority"];
  return {
    server: server.replace(/\/+$/, ""),
    namespace,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...given("certOrigin", typeof caFile === "string" ? absolute(folder, caFile) : undefined),
    ...given("caCert", await pemOf(cluster, "certificate-authority", folder)),
    ...given("cert", await pemOf(user, "client-certificate", folder)),
    ...given("key", await pemOf(user, "client-key", folder)),
    skipTlsVerify: skipTlsVerify || server.startsWith("http:"),
  };
}

/** The value below `field` of the only entry with this name. */
function entryOf(entries: unknown, name: unknown, field: string): Fields | undefined {
  if (!Array.isArray(entries) || typeof name !== "string" || name === "") return undefined;
  const found = entries.filter((entry) => isFields(entry) && entry.name === name);
  const value = found.length === 1 ? found[0][field] : undefined;
  return isFields(value) ? value : undefined;
}

function hasOnly(fields: Fields | undefined, known: ReadonlySet<string>): fields is Fields {
  return fields !== undefined && Object.keys(fields).every((field) => known.has(field));
}

/** Whether one of them is given in a file and in the kubeconfig, is not text, or is not base64. */
function areAmbiguous(fields: Fields, names: readonly string[]): boolean {
  return names.some((name) => {
    const given = [fields[name], fields[`${name}-data`]].filter((value) => value !== undefined);
    return given.length > 1 || given.some((value) => typeof value !== "string" || value === "") ||
      (typeof fields[`${name}-data`] === "string" && !isBase64(fields[`${name}-data`] as string));
  });
}

async function pemOf(fields: Fields, name: string, folder: string): Promise<string | undefined> {
  const { [name]: file, [`${name}-data`]: data } = fields;
  if (typeof file === "string") return await Deno.readTextFile(absolute(folder, file));
  return typeof data === "string" ? new TextDecoder().decode(Uint8Array.fromBase64(data)) : undefined;
}

function isBase64(text: string): boolean {
  try {
    Uint8Array.fromBase64(text);
    return true;
  } catch {
    return false;
  }
}

function absolute(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}${path}`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
