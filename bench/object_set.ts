/** ConfigMaps of one size in a namespace of their own, each with one key, which becomes one file. */
import { join } from "node:path";
import { type ApiServer, CONCURRENCY } from "./api_server.ts";

export interface SetSize {
  count: number;
  /** Of each object's data, in bytes. */
  bytes: number;
}

/** Carried by every object; its value is the set's name. */
export const LABEL = "bench";

/** Times by `performance.now()`. */
export interface Updated {
  sentAt: number;
  answeredAt: number;
}

export class ObjectSet {
  /** `500 × 2 kB` */
  readonly title: string;
  readonly namespace: string;
  readonly size: SetSize;
  /** What the objects hold now; grows by one with each update of all of them. */
  readonly #generations: number[];
  readonly #api: ApiServer;

  private constructor(api: ApiServer, size: SetSize, namespace: string) {
    this.#api = api;
    this.size = size;
    this.title = titleOf(size);
    this.namespace = namespace;
    this.#generations = new Array(size.count).fill(0);
  }

  static async create(
    api: ApiServer,
    size: SetSize,
    namespace = `bench-${size.count}-${size.bytes}`,
  ): Promise<ObjectSet> {
    const set = new ObjectSet(api, size, namespace);
    await api.send("POST", "/api/v1/namespaces", JSON.stringify({ metadata: { name: set.namespace } }));
    await inParallel(size.count, (index) => api.send("POST", set.#path, set.#object(index)));
    return set;
  }

  /** What a sidecar, or a floor, is told to select these and nothing else. */
  environment(folder: string): Record<string, string> {
    return { LABEL, LABEL_VALUE: this.namespace, NAMESPACE: this.namespace, FOLDER: folder };
  }

  /** Updates every object. Returns when the first request was sent and when the last was answered. */
  async updateAll(): Promise<Updated> {
    const sentAt = performance.now();
    await inParallel(this.size.count, (index) => this.update(index));
    return { sentAt, answeredAt: performance.now() };
  }

  async update(index: number): Promise<Updated> {
    this.#generations[index] = this.generation(index) + 1;
    const body = this.#object(index);
    const sentAt = performance.now();
    await this.#api.send("PUT", `${this.#path}/${nameOf(index)}`, body);
    return { sentAt, answeredAt: performance.now() };
  }

  generation(index: number): number {
    return this.#generations[index] ?? 0;
  }

  /** How the file of an object begins when it is as it should be. */
  headOf(index: number): string {
    return `${String(this.generation(index)).padStart(8)} ${nameOf(index)}\n`;
  }

  fileOf(folder: string, index: number): string {
    return join(folder, `${nameOf(index)}.json`);
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.namespace}/configmaps`;
  }

  #object(index: number): string {
    const name = nameOf(index);
    const head = this.headOf(index);
    const text = head + dashboardText(index * 7919 + this.generation(index) * 104_729, this.size.bytes - head.length);
    return JSON.stringify({
      metadata: { name, labels: { [LABEL]: this.namespace } },
      data: { [`${name}.json`]: text },
    });
  }
}

export function titleOf({ count, bytes }: SetSize): string {
  return `${count.toLocaleString("en")} × ${bytes / 1000} kB`;
}

function nameOf(index: number): string {
  return `object-${String(index).padStart(5, "0")}`;
}

async function inParallel(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** A multiple of this is where a text is cut from; more than gzip looks back, so that no object compresses another. */
const TEXT_BYTES = 4_000_000;

/** `bytes` of something like Grafana's dashboards: JSON, whose quotes a ConfigMap has to escape. ASCII. */
function dashboardText(seed: number, bytes: number): string {
  const start = (seed * 2_654_435) % (TEXT_BYTES - bytes);
  return text().slice(start, start + bytes);
}

let madeText: string | undefined;

function text(): string {
  return madeText ??= makeText();
}

function makeText(): string {
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const words = [
    "rate",
    "cpu",
    "memory",
    "node",
    "sum by",
    "namespace",
    "pod",
    "container",
    "p99",
    "latency",
    "seconds",
  ];
  const word = () => words[random(words.length)];
  const parts: string[] = [];
  for (let size = 0; size < TEXT_BYTES;) {
    const id = random(2 ** 31).toString(36);
    const panel =
      `{"id":${random(100_000)},"uid":"${id}","title":"${word()} ${word()} ${
        random(1000)
      }","expr":"${word()}(${word()}_` +
      `${word()}{job=\\"${id.slice(0, 4)}\\"}[5m])","gridPos":{"x":${random(24)},"y":${random(200)},"w":8,"h":8}},\n`;
    size += panel.length;
    parts.push(panel);
  }
  return parts.join("").slice(0, TEXT_BYTES);
}
