/** The API server that is measured against: a real control plane where there is one, else the embedded one. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CertificateAuthority } from "../tests/support/certificates.ts";
import { watchdogOf } from "../tests/support/child_process.ts";
import { ControlPlane, controlPlaneAvailable } from "../tests/support/control_plane.ts";

/** Requests that the bench itself has under way at a time: enough to keep a small API server busy. */
export const CONCURRENCY = 12;

const ATTEMPTS = 5;

/** Too many requests, and a timeout of the server's own: the change may have been made all the same. */
const BUSY = new Set([429, 504]);

/** The answer to a second POST of what the first one made. */
const CONFLICT = 409;

interface ServerParts {
  name: string;
  url: string;
  caPem: string;
  token: string;
  /** For files of a run; goes with the server. */
  dir: string;
  stop(): Promise<void>;
}

export class ApiServer implements AsyncDisposable {
  /** `kube-apiserver v1.20.2`, or `embedded`. */
  readonly name: string;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly dir: string;
  readonly #parts: ServerParts;
  readonly #client: Deno.HttpClient;

  private constructor(parts: ServerParts) {
    this.name = parts.name;
    this.url = parts.url;
    this.dir = parts.dir;
    this.#parts = parts;
    this.#client = Deno.createHttpClient({
      caCerts: [parts.caPem],
      http2: false,
      poolMaxIdlePerHost: CONCURRENCY,
    });
  }

  static async start(): Promise<ApiServer> {
    const dir = await Deno.makeTempDir({ prefix: "bench-" });
    try {
      return new ApiServer(controlPlaneAvailable() ? await startReal(dir) : await startEmbedded(dir));
    } catch (error) {
      await Deno.remove(dir, { recursive: true });
      throw error;
    }
  }

  /** The embedded one, also where there is a control plane. `clusterWide`: whether it allows lists of all namespaces. */
  static async startEmbedded(options: { clusterWide: boolean }): Promise<ApiServer> {
    const dir = await Deno.makeTempDir({ prefix: "bench-" });
    try {
      return new ApiServer(await startEmbedded(dir, options));
    } catch (error) {
      await Deno.remove(dir, { recursive: true });
      throw error;
    }
  }

  /**
   * Sends JSON and reads the answer to its end. A server that is too busy is asked again.
   *
   * @throws {Error} the answer is none of success
   */
  async send(method: string, path: string, body?: string): Promise<string> {
    for (let attempt = 1;; attempt++) {
      const { ok, status, text } = await this.#request(method, path, body);
      if (ok || (attempt > 1 && status === CONFLICT)) return text;
      if (attempt === ATTEMPTS || !BUSY.has(status)) {
        throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
      }
    }
  }

  async #request(method: string, path: string, body?: string): Promise<{ ok: boolean; status: number; text: string }> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#parts.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
      client: this.#client,
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  }

  /** What a pod's environment says of the API server; `url` is another way to the same server. */
  async inCluster(url = this.url): Promise<Record<string, string>> {
    const dir = await Deno.makeTempDir({ dir: this.dir, prefix: "serviceaccount-" });
    await Deno.writeTextFile(join(dir, "token"), this.#parts.token);
    await Deno.writeTextFile(join(dir, "ca.crt"), this.#parts.caPem);
    await Deno.writeTextFile(join(dir, "namespace"), "default");
    const { hostname, port } = new URL(url);
    return { SERVICE_ACCOUNT_DIR: dir, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  }

  async kubeconfig(): Promise<Record<string, string>> {
    const { caPem, token, url } = this.#parts;
    const file = await Deno.makeTempFile({ dir: this.dir, prefix: "kubeconfig-" });
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "bench", cluster: { server: url, "certificate-authority-data": btoa(caPem) } }],
        users: [{ name: "bench", user: { token } }],
        contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
        "current-context": "bench",
      }),
    );
    return { KUBECONFIG: file };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#parts.stop();
    await Deno.remove(this.dir, { recursive: true });
  }
}

async function startReal(dir: string): Promise<ServerParts> {
  const controlPlane = await ControlPlane.start();
  const { url, caPem, adminToken: token } = controlPlane;
  const version = (await controlPlane.request("GET", "/version")).body.gitVersion;
  return { name: `kube-apiserver ${version}`, url, caPem, token, dir, stop: () => controlPlane.stop() };
}

async function startEmbedded(dir: string, { clusterWide } = { clusterWide: true }): Promise<ServerParts> {
  const ca = await CertificateAuthority.create(dir);
  await ca.serverCertificate("serving");
  const token = "bench-token";
  const program = fileURLToPath(new URL("embedded_server.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "-A",
      program,
      join(dir, "serving.crt"),
      join(dir, "serving.key"),
      token,
      String(clusterWide),
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const watchdog = watchdogOf(child.pid);
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let url = "";
  while (!url.endsWith("\n")) {
    const { value, done } = await output.read();
    if (done) throw new Error("the embedded API server ended");
    url += value;
  }
  return {
    name: "embedded API server",
    url: url.trim(),
    caPem: ca.pem,
    token,
    dir,
    async stop() {
      child.kill("SIGKILL");
      await output.cancel();
      await child.status;
      await watchdog.stop();
    },
  };
}
