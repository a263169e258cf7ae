/**
 * A real control plane for tests: etcd and kube-apiserver on free loopback ports, in a temporary directory.
 *
 * The binaries come from the folder that `KUBEBUILDER_ASSETS` names: the convention of envtest, so that `setup-envtest`
 * can provide them. Certificates are made with the `openssl` command.
 */
import { join } from "node:path";
import { CertificateAuthority, type ClientCertificate } from "./certificates.ts";
import { ChildProcess, type StopSignal } from "./child_process.ts";
import { apiServerFlags, etcdFlags, freePorts, type Ports, tokenFile } from "./control_plane_flags.ts";

/** A user that the API server knows by a static bearer token. */
export interface User {
  name: string;
  token: string;
  /** RBAC groups; `system:masters` may do everything, a user without groups and bindings nothing. */
  groups?: string[];
}

export interface ControlPlaneOptions {
  /** Folder with `etcd` and `kube-apiserver`. Default: the environment's `KUBEBUILDER_ASSETS`. */
  assets?: string;
  /** Known besides the administrator and {@link NOBODY}. */
  users?: User[];
  /** More flags for kube-apiserver, as `--feature-gates=…`. */
  apiServerFlags?: string[];
}

/** How a kubeconfig or a request says who it is. */
export interface RequestOptions {
  /** Default: the administrator's token. */
  token?: string;
  /** Default: `application/json`. */
  contentType?: string;
}

export interface Answer {
  status: number;
  /** The parsed JSON, or the text when it is none. */
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** In the group `system:masters`. */
export const ADMIN: User = { name: "admin", token: "admin-token", groups: ["system:masters"] };

/** Authenticated, but without any rights. */
export const NOBODY: User = { name: "nobody", token: "nobody-token" };

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** Whether the binaries are there: `ignore` for tests that need them is the opposite. */
export function controlPlaneAvailable(): boolean {
  return (Deno.env.get("KUBEBUILDER_ASSETS") ?? "") !== "";
}

/**
 * etcd and kube-apiserver, started for one test file. {@link stop} must be awaited: it ends the processes, removes the
 * directory, and leaves nothing for the test sanitizers to find. The processes end with the test process in any case.
 */
export class ControlPlane {
  /** `https://127.0.0.1:PORT`; stays the same when the API server is started again. */
  readonly url: string;
  /** `http://127.0.0.1:PORT` of etcd's JSON gateway. */
  readonly etcdUrl: string;
  readonly adminToken: string = ADMIN.token;
  /** PEM of the authority that signed the server's certificate, and signs client certificates. */
  readonly caPem: string;
  readonly caFile: string;
  readonly #dir: string;
  readonly #ca: CertificateAuthority;
  readonly #client: Deno.HttpClient;
  readonly #etcd: ChildProcess;
  readonly #apiServer: ChildProcess;

  private constructor(
    dir: string,
    ca: CertificateAuthority,
    etcd: ChildProcess,
    apiServer: ChildProcess,
    ports: Ports,
  ) {
    this.#dir = dir;
    this.#ca = ca;
    this.#etcd = etcd;
    this.#apiServer = apiServer;
    this.url = `https://127.0.0.1:${ports.apiServer}`;
    this.etcdUrl = `http://127.0.0.1:${ports.etcd}`;
    this.caPem = ca.pem;
    this.caFile = ca.file;
    this.#client = Deno.createHttpClient({ caCerts: [ca.pem], http2: false });
  }

  /**
   * Starts both and waits until the API server is ready and the namespace `default` is there (5 to 10 seconds).
   *
   * @throws {Error} when there are no binaries, or when they are not ready within a minute; the message holds the end of
   * the API server's log.
   */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const assets = options.assets ?? Deno.env.get("KUBEBUILDER_ASSETS");
    if (assets === undefined || assets === "") {
      throw new Error("KUBEBUILDER_ASSETS names no folder with kube-apiserver");
    }
    const dir = await Deno.makeTempDir({ prefix: "control-plane-" });
    const ports = freePorts();
    const etcd = new ChildProcess(join(assets, "etcd"), etcdFlags(dir, ports), join(dir, "etcd.log"));
    const apiServerLog = join(dir, "kube-apiserver.log");
    const flags = [...apiServerFlags(dir, ports), ...options.apiServerFlags ?? []];
    const apiServer = new ChildProcess(join(assets, "kube-apiserver"), flags, apiServerLog);
    let controlPlane: ControlPlane | undefined;
    try {
      etcd.start();
      const ca = await CertificateAuthority.create(dir);
      await ca.serverCertificate("serving");
      await ca.keyPair("sa");
      await Deno.writeTextFile(join(dir, "tokens.csv"), tokenFile([ADMIN, NOBODY, ...options.users ?? []]));
      controlPlane = new ControlPlane(dir, ca, etcd, apiServer, ports);
      await controlPlane.startApiServer();
      return controlPlane;
    } catch (error) {
      const log = await Deno.readTextFile(apiServerLog).catch(() => "");
      await (controlPlane?.stop() ?? etcd.stop("SIGKILL"));
      throw new Error(`the control plane did not start: ${error}\n${log.slice(-2000)}`, { cause: error });
    }
  }

  /** `fetch` with this server's CA, as the administrator unless told otherwise: for streams. */
  fetch(path: string, init: RequestInit = {}, options: RequestOptions = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${options.token ?? ADMIN.token}`);
    return fetch(this.url + path, { ...init, headers, client: this.#client });
  }

  /** One request, as the administrator unless told otherwise. A `body` that is no string is sent as JSON. */
  async request(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.headers = { "content-type": options.contentType ?? "application/json" };
      init.body = typeof body === "string" ? body : JSON.stringify(body);
    }
    return await readAnswer(await this.fetch(path, init, options));
  }

  /** Writes a kubeconfig for a token's or a certificate's owner and returns its path. Default: the administrator. */
  async kubeconfig(user: { token: string } | ClientCertificate = ADMIN): Promise<string> {
    const credentials = "token" in user
      ? { token: user.token }
      : { "client-certificate": user.certFile, "client-key": user.keyFile };
    const file = await Deno.makeTempFile({ dir: this.#dir, prefix: "kubeconfig-" });
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "test", cluster: { server: this.url, "certificate-authority": this.caFile } }],
        users: [{ name: "test", user: credentials }],
        contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
        "current-context": "test",
      }),
    );
    return file;
  }

  /** A certificate that makes its holder the user `commonName` in the group `organization`. */
  clientCertificate(commonName: string, organization?: string): Promise<ClientCertificate> {
    return this.#ca.clientCertificate(commonName, organization);
  }

  /** The server's own certificate and key as PEM, for a test's server that stands in its place. */
  async servingCertificate(): Promise<{ cert: string; key: string }> {
    const read = (name: string) => Deno.readTextFile(join(this.#dir, name));
    return { cert: await read("serving.crt"), key: await read("serving.key") };
  }

  /** A folder with `token`, `ca.crt` and `namespace`, as it is mounted into a pod. */
  async serviceAccountDir(token: string = ADMIN.token, namespace = "default"): Promise<string> {
    const dir = await Deno.makeTempDir({ dir: this.#dir, prefix: "serviceaccount-" });
    await Deno.writeTextFile(join(dir, "token"), token);
    await Deno.writeTextFile(join(dir, "ca.crt"), this.caPem);
    await Deno.writeTextFile(join(dir, "namespace"), namespace);
    return dir;
  }

  /** Ends the API server and waits for it. With SIGTERM it finishes its requests first, which may take a minute. */
  async stopApiServer(signal: StopSignal = "SIGKILL"): Promise<void> {
    await this.#apiServer.stop(signal);
  }

  /** Starts the API server on the same port, with the same data, and waits until it is ready. */
  async startApiServer(): Promise<void> {
    this.#apiServer.start();
    await this.#ready();
  }

  /** Both end, the store is lost, and both start again: versions begin anew. The namespace `default` is all there is. */
  async loseEverything(): Promise<void> {
    await this.stopApiServer();
    await this.#etcd.stop("SIGKILL");
    await Deno.remove(join(this.#dir, "etcd"), { recursive: true });
    this.#etcd.start();
    await this.startApiServer();
  }

  /** The API server hangs: it accepts connections, but answers none. */
  pauseApiServer(): void {
    this.#apiServer.kill("SIGSTOP");
  }

  resumeApiServer(): void {
    this.#apiServer.kill("SIGCONT");
  }

  /**
   * Forgets every version before `revision` (default: the newest), and returns it.
   *
   * A paged list whose continue token is older is refused with 410 right away. A watch is not: the API server answers it
   * from its watch cache, which knows nothing of compactions. Only after {@link stopApiServer} and {@link startApiServer},
   * when that cache starts anew, does a watch from an older version get its 410 (ERROR event in a 200 stream).
   */
  async compactEtcd(revision?: number): Promise<number> {
    const newest = revision ?? Number((await this.#etcdCall("range", { key: btoa("/") })).header.revision);
    await this.#etcdCall("compaction", { revision: newest, physical: true });
    return newest;
  }

  /** Ends everything and removes the directory. */
  async stop(): Promise<void> {
    await Promise.all([this.#apiServer.stop("SIGKILL"), this.#etcd.stop("SIGKILL")]);
    this.#client.close();
    await Deno.remove(this.#dir, { recursive: true });
  }

  async #etcdCall(method: string, body: unknown): Promise<{ header: { revision: string } }> {
    const response = await fetch(`${this.etcdUrl}/v3/kv/${method}`, { method: "POST", body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`etcd answered ${method} with ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (const path of ["/readyz", "/api/v1/namespaces/default"]) {
      for (;;) {
        const answer = await this.request("GET", path).catch((error) => ({ status: 0, body: error }));
        if (answer.status === 200) break;
        if (!this.#apiServer.running) throw new Error("kube-apiserver ended");
        if (Date.now() > deadline) throw new Error(`${path} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }
}

/** Reads the answer to its end; JSON is parsed. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: text };
  }
}
