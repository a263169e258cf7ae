/** Stories: what a user sees a sidecar do against a real control plane. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ADMIN, type Answer, ControlPlane, controlPlaneAvailable, type ControlPlaneOptions } from "./control_plane.ts";
import { removeFolder } from "./disk.ts";
import { eventually } from "./oracle.ts";
import { SidecarProcess, type StartOptions } from "./sidecar_process.ts";

export type Kind = "ConfigMap" | "Secret";

/** What an object holds beyond its name. */
export interface ObjectFields {
  /** Text; bytes of a ConfigMap go to its `binaryData`. */
  data?: Record<string, string | Uint8Array>;
  annotations?: Record<string, string>;
  /** Default: the story's own. `{}` for an object that is not selected. */
  labels?: Record<string, string>;
  /** Default: the story's own. */
  namespace?: string;
}

/** A setting that is `undefined` is not set, though the story sets it otherwise. */
export type Settings = Record<string, string | undefined>;

export interface StoryDetails {
  /** This machine cannot do it. */
  ignore?: boolean;
  /** It ends the shared API server and starts another, which outlives it: a leak to the test sanitizers. */
  restartsApiServer?: boolean;
}

export type AddStory = (name: string, run: (story: Story) => Promise<void>, details?: StoryDetails) => void;

/**
 * Starts one control plane for the stories of a test file. What is returned adds a story as a test: each has a namespace, a
 * label and a folder to itself. Without the binaries of a control plane stories are ignored.
 */
export function stories(options: ControlPlaneOptions = {}): AddStory {
  const ignore = !controlPlaneAvailable();
  let controlPlane: ControlPlane | undefined;
  let count = 0;
  Deno.test.beforeAll(async () => {
    if (!ignore) controlPlane = await ControlPlane.start(options);
  });
  Deno.test.afterAll(async () => await controlPlane?.stop());
  return (name, run, details = {}) =>
    Deno.test({
      name,
      ignore: ignore || details.ignore === true,
      ...(details.restartsApiServer ? { sanitizeOps: false, sanitizeResources: false } : {}),
      async fn() {
        if (controlPlane === undefined) throw new Error("the control plane is not there");
        await using story = await Story.begin(controlPlane, `story-${++count}`);
        try {
          await run(story);
          story.assertNoBug();
        } catch (error) {
          throw story.explain(error);
        }
      },
    });
}

export class Story implements AsyncDisposable {
  readonly controlPlane: ControlPlane;
  /** Also the key of the label that selects the story's objects. */
  readonly namespace: string;
  /** For everything that the story needs on disk; goes with it. */
  readonly dir: string;
  /** Where files go. It is not there at first. */
  readonly folder: string;
  readonly #sidecars: SidecarProcess[] = [];

  private constructor(controlPlane: ControlPlane, namespace: string, dir: string) {
    this.controlPlane = controlPlane;
    this.namespace = namespace;
    this.dir = dir;
    this.folder = join(dir, "files");
  }

  static async begin(controlPlane: ControlPlane, name: string): Promise<Story> {
    const story = new Story(controlPlane, name, await Deno.makeTempDir({ prefix: `${name}-` }));
    await story.makeNamespace(name);
    return story;
  }

  get label(): string {
    return this.namespace;
  }

  async makeNamespace(name: string): Promise<string> {
    await this.request("POST", "/api/v1/namespaces", { metadata: { name } });
    return name;
  }

  /** Starts a sidecar in a pod of the story's namespace, so to say, whose token may do everything. */
  async start(settings: Settings = {}, options: StartOptions = {}): Promise<SidecarProcess> {
    const sidecar = SidecarProcess.start(await this.environment(settings), options);
    this.#sidecars.push(sidecar);
    return sidecar;
  }

  /** As {@link start}; waits for the first complete sync. */
  async startReady(settings: Settings = {}, options: StartOptions = {}): Promise<SidecarProcess> {
    const sidecar = await this.start(settings, options);
    await sidecar.ready();
    return sidecar;
  }

  /** What a sidecar of this story is started with. */
  async environment(settings: Settings): Promise<Record<string, string>> {
    const all: Settings = {
      LABEL: this.label,
      FOLDER: this.folder,
      ERROR_THROTTLE_SLEEP: "0.1",
      // The servers of stories are on loopback, which the default refuses
      URL_ALLOWED_HOSTS: "127.0.0.1",
      ...settings,
      ...("KUBECONFIG" in settings || "SERVICE_ACCOUNT_DIR" in settings ? {} : await this.serviceAccount()),
    };
    const isSet = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined;
    return Object.fromEntries(Object.entries(all).filter(isSet));
  }

  /** The settings by which a pod finds the API server, with the token of a user. */
  async serviceAccount(token: string = ADMIN.token, namespace = this.namespace): Promise<Record<string, string>> {
    return {
      SERVICE_ACCOUNT_DIR: await this.controlPlane.serviceAccountDir(token, namespace),
      ...inClusterAddress(this.controlPlane.url),
    };
  }

  /** @throws {Error} the answer is none of success */
  async request(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer> {
    const options = contentType === undefined ? {} : { contentType };
    const answer = await this.controlPlane.request(method, path, body, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }

  async create(kind: Kind, name: string, fields: ObjectFields = {}): Promise<void> {
    const { namespace = this.namespace, labels = { [this.label]: "yes" }, annotations = {}, data = {} } = fields;
    const metadata = { name, labels, annotations };
    await this.request("POST", collection(kind, namespace), { metadata, ...bodyOf(kind, data) });
  }

  /** Changes what is named, and takes away what is `null`. */
  async change(
    kind: Kind,
    name: string,
    { data = {}, labels = {}, annotations = {} }: {
      data?: Record<string, string | Uint8Array | null>;
      labels?: Record<string, string | null>;
      annotations?: Record<string, string | null>;
    },
    namespace = this.namespace,
  ): Promise<void> {
    const body = { metadata: { labels, annotations }, ...bodyOf(kind, data) };
    await this.request("PATCH", `${collection(kind, namespace)}/${name}`, body, "application/merge-patch+json");
  }

  async delete(kind: Kind, name: string, namespace = this.namespace): Promise<void> {
    await this.request("DELETE", `${collection(kind, namespace)}/${name}`);
  }

  /** Lets a user read objects of the story's namespace, or of another; the API server knows of it on return. */
  async allow(
    user: string,
    { verbs = ["get", "list", "watch"], ...rule }: { resources: string[]; resourceNames?: string[]; verbs?: string[] },
    namespace = this.namespace,
  ): Promise<void> {
    const api = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const name = `${user}-${rule.resources.join("-")}`;
    await this.request("POST", `${api}/roles`, { metadata: { name }, rules: [{ apiGroups: [""], verbs, ...rule }] });
    await this.request("POST", `${api}/rolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    });
    for (const resource of rule.resources) {
      const resourceAttributes = { verb: "watch", resource, namespace, name: rule.resourceNames?.[0] ?? "" };
      const review = { spec: { user, resourceAttributes } };
      await eventually(async () => {
        const { body } = await this.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
        assert.equal(body.status.allowed, true, `${user} may not yet watch ${resource}`);
      });
    }
  }

  /** Takes back what {@link allow} gave; the API server knows of it on return. */
  async forbid(user: string, rule: { resources: string[] }, namespace = this.namespace): Promise<void> {
    const api = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const name = `${user}-${rule.resources.join("-")}`;
    await this.request("DELETE", `${api}/rolebindings/${name}`);
    await this.request("DELETE", `${api}/roles/${name}`);
    const resourceAttributes = { verb: "watch", resource: rule.resources[0], namespace };
    await eventually(async () => {
      const review = { spec: { user, resourceAttributes } };
      const { body } = await this.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
      assert.equal(body.status.allowed, false, `${user} may still watch ${rule.resources[0]}`);
    });
  }

  /** An error that says what the sidecars said. */
  explain(error: unknown): unknown {
    const logs = this.#sidecars.map((sidecar, index) =>
      `--- end of the log of sidecar ${index + 1}:\n${sidecar.tail()}`
    );
    if (error instanceof Error) error.message += `\n${logs.join("\n")}`;
    return error;
  }

  /** lib/cli/stray_errors.ts */
  assertNoBug(): void {
    for (const sidecar of this.#sidecars) assert.equal(sidecar.find("a bug of the sidecar")?.text, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.kill9()));
    removeFolder(this.dir);
  }
}

/** What the kubelet sets in every pod. */
export function inClusterAddress(url: string): { KUBERNETES_SERVICE_HOST: string; KUBERNETES_SERVICE_PORT: string } {
  const { hostname, port } = new URL(url);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
}

/** Does something with each of many, a few at a time. */
export async function forEach<T>(items: Iterable<T>, act: (item: T) => Promise<void>, atOnce = 8): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function collection(kind: Kind, namespace: string): string {
  return `/api/v1/namespaces/${namespace}/${kind === "ConfigMap" ? "configmaps" : "secrets"}`;
}

function bodyOf(kind: Kind, data: Record<string, string | Uint8Array | null>) {
  const text: Record<string, string | null> = {};
  const bytes: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(data)) {
    if (value instanceof Uint8Array) bytes[key] = value.toBase64();
    else if (value === null || kind === "ConfigMap") text[key] = value;
    else bytes[key] = new TextEncoder().encode(value).toBase64();
  }
  return kind === "ConfigMap" ? { data: text, binaryData: bytes } : { data: { ...text, ...bytes } };
}
