/** What a sidecar is started beside: manifests in a folder, or the service account of a pod. */
import { EmbeddedApiServer } from "../apiserver/api_server.ts";
import { type Folder, tempFolder } from "./disk.ts";
import { serve } from "./local_servers.ts";
import { type ServerCertificate, serverCertificate } from "./server_certificate.ts";

export const certificate: ServerCertificate = await serverCertificate();

export const CONFIG_MAP = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one", namespace: "default", labels: { app: "x" } },
  data: { "one.txt": "first" },
};

/** `files` for what is published, `manifests` with one ConfigMap. */
export function workplace(): Folder & { files: string; manifests: string } {
  const folder = tempFolder();
  const [files, manifests] = [`${folder.path}/files`, `${folder.path}/manifests`];
  Deno.mkdirSync(manifests);
  Deno.writeTextFileSync(`${manifests}/one.json`, JSON.stringify(CONFIG_MAP));
  return { ...folder, files, manifests };
}

/** An API server behind TLS and a token, and a service account's folder for it: what a pod has. */
export async function pod(
  intercept: (request: Request) => Response | undefined | Promise<Response | undefined> = () => undefined,
) {
  const folder = tempFolder();
  const files = { token: "pod-token", "ca.crt": certificate.ca, namespace: "default" };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder.path}/${name}`, text);
  const api = EmbeddedApiServer.start({ token: "pod-token" });
  const front = serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const answer = await intercept(request);
    if (answer !== undefined) return answer;
    const body = await request.bytes();
    return await fetch(api.url + pathname + search, { method, headers, ...(body.length > 0 ? { body } : {}) });
  }, certificate);
  return {
    api,
    files: `${folder.path}/files`,
    env: {
      LABEL: "app",
      FOLDER: `${folder.path}/files`,
      METHOD: "LIST",
      ERROR_THROTTLE_SLEEP: "0.01",
      SERVICE_ACCOUNT_DIR: folder.path,
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(front.port),
    },
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await api.close();
      folder[Symbol.dispose]();
    },
  };
}
