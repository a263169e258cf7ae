/** Fields of a kubeconfig that name files, and its exec plugins. */
interface Named {
  clusters?: { cluster?: Record<string, unknown> | null }[];
  users?: { user?: Record<string, unknown> & { exec?: { command?: unknown } | null } | null }[];
}

const FIELDS = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

/**
 * The files that kubeconfigs name: certificates, keys, tokens and exec plugins with a path. Relative paths are resolved
 * against the directory of the kubeconfig, as kubectl does.
 *
 * @param paths one file, or several separated by `:`. What cannot be read names none
 */
export async function filesNamedInKubeconfigs(paths: string): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths.split(":")) files.push(...await filesNamedIn(path).catch(() => []));
  return files;
}

async function filesNamedIn(path: string): Promise<string[]> {
  if (path === "") return [];
  const text = await Deno.readTextFile(path);
  const { parse } = await import("../../runtime/yaml_library.ts");
  const { clusters, users } = parse(text) as Named;
  const parts = [...(clusters ?? []).map(({ cluster }) => cluster), ...(users ?? []).map(({ user }) => user)];
  const named = parts.flatMap((part) => FIELDS.map((field) => part?.[field]));
  const programs = (users ?? []).map(({ user }) => user?.exec?.command).filter((command) =>
    typeof command === "string" && command.includes("/")
  );
  const directory = path.slice(0, path.lastIndexOf("/") + 1);
  return [...named, ...programs].filter((file) => typeof file === "string" && file !== "")
    .map((file) => String(file).startsWith("/") ? String(file) : directory + file);
}
