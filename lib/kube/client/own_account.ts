/** Which service account and namespace the credentials belong to, as far as files say it. No request is made. */
import { chooseCredentials, type CredentialsOptions } from "./find_credentials.ts";

export interface OwnAccount {
  namespace: string;
  /** The file that says so; `undefined`: it is a guess. */
  namespaceFrom?: string;
  /** Of the service account; `undefined` if no token tells it. */
  name?: string;
}

export async function ownAccount(options: CredentialsOptions): Promise<OwnAccount> {
  const choice = chooseCredentials(options);
  if (choice?.from === "kubeconfig") return await ofKubeconfig(choice.paths);
  const dir = options.serviceAccountDir;
  const tokenFile = `${dir}/token`;
  const subject = subjectOf(await readOptional(tokenFile) ?? "");
  const namespace = (await readOptional(`${dir}/namespace`))?.trim();
  if (namespace) {
    const isSame = subject?.namespace === namespace;
    return { namespace, namespaceFrom: `${dir}/namespace`, ...(isSame ? { name: subject.name } : {}) };
  }
  return subject === undefined ? { namespace: "default" } : { ...subject, namespaceFrom: tokenFile };
}

/** The service account in the claim `sub` of a token. */
function subjectOf(token: string): { namespace: string; name: string } | undefined {
  try {
    const claims = token.trim().split(".")[1] ?? "";
    const bytes = Uint8Array.fromBase64(claims, { alphabet: "base64url", lastChunkHandling: "loose" });
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    const [, namespace, name] = /^system:serviceaccount:([-.a-z0-9]+):([-.a-z0-9]+)$/.exec(sub) ?? [];
    return namespace === undefined || name === undefined ? undefined : { namespace, name };
  } catch {
    // Not a JSON web token: an API server may accept others
    return undefined;
  }
}

interface Kubeconfig {
  "current-context"?: unknown;
  contexts?: { name?: unknown; context?: { namespace?: unknown } }[];
}

/** The namespace of the current context. As in kubectl, the first file that says something wins. */
async function ofKubeconfig(paths: string): Promise<OwnAccount> {
  const { parse } = await import("../../runtime/yaml_library.ts");
  const files: { path: string; kubeconfig: Kubeconfig }[] = [];
  for (const path of paths.split(":")) {
    try {
      const kubeconfig: unknown = parse(await readOptional(path) ?? "", { logLevel: "silent" });
      if (typeof kubeconfig === "object" && kubeconfig !== null) files.push({ path, kubeconfig });
    } catch {
      // A run reports what is wrong with the file
    }
  }
  const current = files.map(({ kubeconfig }) => kubeconfig["current-context"]).find((name) => !!name);
  for (const { path, kubeconfig: { contexts } } of files) {
    const found = Array.isArray(contexts) ? contexts.find(({ name }) => name === current) : undefined;
    if (found === undefined) continue;
    const namespace = found.context?.namespace;
    if (typeof namespace !== "string" || namespace === "") break;
    return { namespace, namespaceFrom: path };
  }
  return { namespace: "default" };
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}
