/**
 * Credentials from kubeconfig files, with every auth method of `@kubernetes/client-node`'s KubeConfig. The library is
 * loaded only for what `plain_kubeconfig.ts` does not read.
 */
import { dirname, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import type { ClusterAccess, Credentials } from "./credentials.ts";
import { CredentialsError } from "./errors.ts";
import { readPlainKubeconfig } from "./plain_kubeconfig.ts";

/** The options set by `applyToHTTPSOptions` that are used here. */
interface HttpsOptions {
  headers?: Record<string, string>;
  auth?: string;
  ca?: Uint8Array | string;
  cert?: Uint8Array | string;
  key?: Uint8Array | string;
  rejectUnauthorized?: boolean;
}

export class KubeconfigCredentials implements Credentials {
  /** An expired token is detected by a 401. */
  readonly maxAge = Infinity;
  readonly runsPrograms = true;
  readonly origin: string;
  readonly #paths: string[];
  #config: KubeConfig | undefined;
  #readAt = "";

  /** @param paths one file, or several separated by `:`; as with kubectl, the first file that defines a name wins */
  constructor(paths: string) {
    this.#paths = paths.split(":").filter((path) => path !== "");
    this.origin = `kubeconfig ${this.#paths.join(":")}`;
  }

  async load(rejected: boolean): Promise<ClusterAccess> {
    try {
      const plain = await readPlainKubeconfig(this.#paths);
      if (plain !== undefined) return { certOrigin: this.origin, ...plain };
      const readAt = await this.#modificationTimes();
      if (this.#config === undefined || rejected || readAt !== this.#readAt) {
        this.#config = await readKubeconfigs(this.#paths);
        this.#readAt = readAt;
      }
      return { certOrigin: this.origin, ...await accessOf(this.#config) };
    } catch (cause) {
      if (cause instanceof CredentialsError) throw cause;
      throw new CredentialsError(`${this.origin} cannot be used: ${reasonOf(cause)}`, { cause });
    }
  }

  async #modificationTimes(): Promise<string> {
    const times = this.#paths.map(async (path) => (await Deno.stat(path)).mtime?.getTime());
    return (await Promise.allSettled(times)).map((time) => time.status === "fulfilled" ? time.value : "missing").join();
  }
}

async function readKubeconfigs(paths: readonly string[]): Promise<KubeConfig> {
  const { KubeConfig } = await import("./kubeconfig_library.ts");
  const merged = new KubeConfig();
  merged.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: "" });
  const tokenFiles = new Map<User, string>();
  let found = false;
  for (const path of paths) {
    // Missing and empty files of a list are skipped, as by kubectl
    if (paths.length > 1 && !await hasText(path)) continue;
    const one = new KubeConfig();
    one.loadFromFile(path);
    resolveCommands(one, path);
    for (const [user, file] of await tokenFilesOf(one, path)) tokenFiles.set(user, file);
    found = true;
    const clusters = one.clusters.filter(({ name }) => merged.getCluster(name) === null);
    merged.clusters.push(...clusters.map(allowingHttp));
    merged.users.push(...one.users.filter(({ name }) => merged.getUser(name) === null));
    merged.contexts.push(...one.contexts.filter(({ name }) => merged.getContextObject(name) === null));
    merged.currentContext ||= one.currentContext ?? "";
  }
  if (!found) throw new CredentialsError(`kubeconfig: none of ${paths.join(", ") || "no files"} is there`);
  const user = merged.getCurrentUser();
  const file = user && tokenFiles.get(user);
  if (user && file) {
    merged.users[merged.users.indexOf(user)] = { ...user, token: (await Deno.readTextFile(file)).trim() };
  }
  return merged;
}

/** Resolves exec plugins with a relative path against the directory of the kubeconfig, as kubectl does. */
function resolveCommands({ users }: KubeConfig, path: string): void {
  for (const { exec } of users) {
    if (typeof exec?.command === "string" && exec.command.includes("/")) {
      exec.command = resolve(dirname(path), exec.command);
    }
  }
}

type User = KubeConfig["users"][number];

/**
 * Finds each user's `tokenFile`, which the library ignores. It takes precedence over `token` (client-go's `AuthInfo`).
 */
async function tokenFilesOf({ users }: KubeConfig, path: string): Promise<Map<User, string>> {
  const files = new Map<User, string>();
  const text = await Deno.readTextFile(path);
  if (!text.includes("tokenFile")) return files;
  const { parse } = await import("../../runtime/yaml_library.ts");
  const raw: { users?: { name: string; user?: { tokenFile?: string } }[] } = parse(text);
  for (const user of users) {
    const file = raw.users?.find(({ name }) => name === user.name)?.user?.tokenFile;
    if (file) files.set(user, resolve(dirname(path), file));
  }
  return files;
}

/** Allows http URLs, such as that of `kubectl proxy`: the library refuses them unless TLS verification is off. */
function allowingHttp(cluster: KubeConfig["clusters"][number]): KubeConfig["clusters"][number] {
  return cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster;
}

async function accessOf(config: KubeConfig): Promise<ClusterAccess> {
  const context = config.getContextObject(config.currentContext);
  if (context === null) {
    throw new CredentialsError(
      `kubeconfig: there is no context ${
        JSON.stringify(config.currentContext)
      }; set one with kubectl config use-context`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new CredentialsError(`kubeconfig: context ${context.name} names no known cluster`);
  if (context.user && config.getCurrentUser() === null) {
    throw new CredentialsError(`kubeconfig: context ${context.name} names no known user`);
  }
  const options: HttpsOptions = {};
  await config.applyToHTTPSOptions(options as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
  const headers: Record<string, string> = { ...options.headers };
  if (options.auth !== undefined) {
    headers.authorization = `Basic ${new TextEncoder().encode(options.auth).toBase64()}`;
  }
  return {
    server: cluster.server.replace(/\/+$/, ""),
    namespace: context.namespace ?? "default",
    headers,
    ...(cluster.caFile !== undefined && { certOrigin: cluster.caFile }),
    ...(options.ca !== undefined && { caCert: pemOf(options.ca) }),
    ...(options.cert !== undefined && { cert: pemOf(options.cert) }),
    ...(options.key !== undefined && { key: pemOf(options.key) }),
    ...(cluster.tlsServerName !== undefined && { serverName: cluster.tlsServerName }),
    ...(cluster.proxyUrl !== undefined && { proxy: cluster.proxyUrl }),
    skipTlsVerify: cluster.skipTLSVerify === true,
  };
}

/** The first line of a message: further lines quote the file, which may contain a token. */
function reasonOf(cause: unknown): string {
  const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
  if (cause instanceof TypeError) return "it is not a kubeconfig";
  return reason.trim() || "the exec plugin of its user failed and gave no reason";
}

function pemOf(value: Uint8Array | string): string {
  return typeof value === "string" ? value : new TextDecoder().decode(value);
}

async function hasText(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size > 0;
  } catch {
    return false;
  }
}
