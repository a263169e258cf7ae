/** What must hold for downloads whatever their hosts answer: lives made of chance, FUZZ_FACTOR times as many when asked for. */
import assert from "node:assert/strict";
import { SimulatedTime } from "../../bench/simulated_time.ts";
import { ByteLimits } from "../../lib/downloads/byte_limits.ts";
import { Fetcher } from "../../lib/downloads/fetcher.ts";
import { DownloadScheduler } from "../../lib/downloads/scheduler.ts";
import { SharedDownloads } from "../../lib/downloads/shared_downloads.ts";
import { Journal } from "../../lib/files/journal.ts";
import { Publisher } from "../../lib/files/publisher.ts";
import { AllowedHosts } from "../../lib/http/allowed_hosts.ts";
import { RefusedHostError, type Transport, TransportError } from "../../lib/http/transport.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { keptLog } from "../support/api_gateway.ts";
import { filesIn, tempFolder, temporariesIn } from "../support/disk.ts";
import { SEED } from "../support/fault_story.ts";
import { encode } from "../support/local_servers.ts";
import { pick, seeded } from "../support/random.ts";

const FACTOR = Number(Deno.env.get("FUZZ_FACTOR") ?? 1);

const MAX_OPEN = 3;
const MAX_BYTES = 2000;
const LIMITS = { perObject: 500, total: 800 };
/** A pause without Retry-After is five seconds at first, less the jitter; the simulated clock rounds to 100 ms. */
const SHORTEST_PAUSE_MS = 3700;

const ORIGINS = ["http://a.test", "http://b.test", "http://c.test"];
const MODES = [
  ...[
    "good",
    "good",
    "good",
    "good without ETag",
    "busy",
    "busy",
    "busy for long",
    "always 304",
    "cut",
    "wrong length",
  ],
  ...["endless", "too large", "silent", "to loopback", "round and round", "gone", "broken"],
] as const;

type Mode = typeof MODES[number];

/** Hosts that answer by chance, and remember what must not have been asked. */
class HostileHosts implements Transport {
  readonly #random: () => number;
  readonly #clock: SimulatedTime;
  readonly #policy = new AllowedHosts({ entries: undefined, apiServers: [] });
  readonly #modes = new Map<string, Mode>();
  readonly #pauses = new Map<string, { since: number; until: number }>();
  /** By URL. */
  readonly versions = new Map<string, number>();
  readonly faults: string[] = [];
  isGood = false;
  open = 0;

  constructor(random: () => number, clock: SimulatedTime) {
    this.#random = random;
    this.#clock = clock;
  }

  change(): void {
    this.#modes.set(pick(this.#random, ORIGINS), pick(this.#random, MODES));
  }

  contentOf(url: string): string {
    return `${url} version ${this.versions.get(url) ?? 0}`;
  }

  async fetch(input: string | URL, { headers, signal }: RequestInit = {}): Promise<Response> {
    const url = new URL(input);
    if (this.#policy.byName(url) === "refused") throw new RefusedHostError(url);
    const { since, until } = this.#pauses.get(url.origin) ?? { since: 0, until: 0 };
    // What was about to be sent may be sent, and so may what a redirect of an earlier request leads to
    const isLate = since < this.#clock.now() && url.pathname !== "/round";
    if (isLate && this.#clock.now() < until) this.faults.push(`${url} was asked during a pause`);
    if (++this.open > MAX_OPEN) this.faults.push(`${this.open} requests at one time`);
    try {
      const delay = this.#random() < 0.5 ? 0 : this.#random() * 3;
      await this.#clock.sleep(delay, signal ?? undefined);
      return await this.#answer(url, new Headers(headers), signal ?? undefined);
    } finally {
      this.open--;
    }
  }

  async #answer(url: URL, headers: Headers, signal?: AbortSignal): Promise<Response> {
    const mode = this.isGood ? "good" : this.#modes.get(url.origin) ?? "good";
    const content = this.contentOf(url.href);
    const etag = `"${content.length}-${this.versions.get(url.href) ?? 0}"`;
    switch (mode) {
      case "good":
        if (headers.get("if-none-match") === etag) return new Response(null, { status: 304 });
        return new Response(content, { headers: { etag } });
      case "good without ETag":
        return new Response(content);
      case "busy":
      case "busy for long":
        return this.#busy(url, mode === "busy" ? pick(this.#random, [undefined, "0", "soon", "7"]) : "1000");
      case "always 304":
        // An answer to a condition that was not met, too
        return new Response(null, { status: headers.has("if-none-match") ? 404 : 304 });
      case "cut":
        return new Response(piecesThen(content.slice(0, 5), () => new TransportError("read", "cut")));
      case "wrong length":
        return new Response(piecesThen(content, () => new TransportError("read", "cut")), {
          headers: { "content-length": String(pick(this.#random, [1, 1000, 1e12])) },
        });
      case "endless":
        return new Response(
          new ReadableStream({ pull: (controller) => controller.enqueue(encode("endless ".repeat(10))) }),
        );
      case "too large":
        return new Response("x".repeat(MAX_BYTES + 1), { headers: { "content-length": String(MAX_BYTES + 1) } });
      case "silent":
        await this.#clock.sleep(Infinity, signal);
        throw new Error("unreachable");
      case "to loopback":
        return new Response(null, { status: 302, headers: { location: "http://127.0.0.1/secret" } });
      case "round and round":
        return new Response(null, { status: 307, headers: { location: `${url.origin}/round` } });
      case "gone":
        return new Response("gone", { status: 404 });
      case "broken":
        return new Response("broken", { status: 500 });
    }
  }

  #busy({ origin }: URL, retryAfter: string | undefined): Response {
    const seconds = Number(retryAfter);
    const ms = Number.isNaN(seconds) ? SHORTEST_PAUSE_MS : Math.max(1, seconds) * 1000;
    const headers: Record<string, string> = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    // Nobody hears of an answer to a download that is given up before its end
    const body = new ReadableStream({
      pull: (controller) => {
        const now = this.#clock.now();
        const { since, until } = this.#pauses.get(origin) ?? { since: now, until: 0 };
        this.#pauses.set(origin, { since: now < until ? since : now, until: Math.max(until, now + ms) });
        controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status: pick(this.#random, [429, 503]), headers });
  }

  close(): void {}
}

function piecesThen(text: string, error: () => Error): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isSent = false;
  return new ReadableStream({
    pull(controller) {
      if (isSent) return controller.error(error());
      isSent = true;
      controller.enqueue(new Uint8Array(encode(text)));
    },
  });
}

/** A path that an object wants, or has given up. */
interface Want {
  ref: ObjectRef;
  path: string;
  url: string;
  version: number;
}

async function oneLife(seed: number): Promise<void> {
  const random = seeded(seed);
  using folder = tempFolder();
  const clock = new SimulatedTime();
  const hosts = new HostileHosts(random, clock);
  const log = keptLog();
  const journal = new Journal({ folder: folder.path, id: "id", stateFile: "none", log });
  const publisher = new Publisher({
    ...{ folder: folder.path, allowedFolders: [], configFiles: [], id: "id", mode: 0o644, atomicWrites: true },
    ...{ journal, beforeChange() {}, log },
  });
  const fetcher = new Fetcher({
    ...{ transport: hosts, retry: { total: 0, connect: 0, read: 0, backoffFactor: 1 }, timeout: 10, maxSeconds: 60 },
    ...{ maxBytes: MAX_BYTES, enable5xx: false, authorizationFor: () => Promise.resolve(undefined) },
    ...{ clock, wallClock: Date.now, log, onRead() {} },
  });
  const downloads = new DownloadScheduler({
    ...{ fetcher, publisher, unpack: () => Promise.reject(new Error("there are no archives")) },
    ...{ limits: new ByteLimits(LIMITS), turns: new SharedDownloads({ clock, random, log }).join(MAX_OPEN) },
    ...{ onWritten() {}, onFailed() {}, onRefused() {}, onAttempt() {}, onChange() {} },
    ...{ firstBackoff: 1, refresh: 60, clock, random, log },
  });
  const wants = new Map<string, Want>();
  const keyOf = ({ namespace, name }: ObjectRef) => `ConfigMap/${namespace}/${name}`;
  const want = (wanted: Want) => {
    wants.set(wanted.path, wanted);
    downloads.want(wanted.path, { url: wanted.url }, wanted.ref, keyOf(wanted.ref), wanted.version);
  };
  const contents = new Set<string>();
  /** Without temporary files. */
  const published = () => Object.entries(filesIn(folder.path)).filter(([path]) => !path.startsWith(".."));
  const check = () => {
    const files = published();
    const byObject = new Map<string, number>();
    for (const [path, content] of files) {
      assert.ok(contents.has(content), `${path} has ${JSON.stringify(content)}`);
      const owner = journal.ownerOf(`${folder.path}/${path}`) ?? "";
      byObject.set(owner, (byObject.get(owner) ?? 0) + content.length);
    }
    for (const [owner, bytes] of byObject) assert.ok(bytes <= LIMITS.perObject, `${owner} has ${bytes} bytes`);
    assert.ok([...byObject.values()].reduce((sum, bytes) => sum + bytes, 0) <= LIMITS.total);
    assert.deepEqual(hosts.faults, []);
  };
  const note = (url: string) => contents.add(hosts.contentOf(url));
  for (const origin of ORIGINS) note(`${origin}/round`);
  try {
    for (let step = 0; step < 80; step++) {
      const dice = random();
      const name = pick(random, ["a", "b"]);
      const path = `${folder.path}/${name}-${Math.floor(random() * 5)}`;
      const known = wants.get(path);
      if (dice < 0.35) {
        const url = `${pick(random, ORIGINS)}/${Math.floor(random() * 4)}`;
        note(url);
        want({ path, url, ref: { kind: "ConfigMap", namespace: pick(random, ["n", "m"]), name }, version: step });
      } else if (dice < 0.45 && known !== undefined) want(known);
      else if (dice < 0.5 && known !== undefined) {
        wants.delete(path);
        downloads.forget(path);
        publisher.remove(path);
      } else if (dice < 0.65) hosts.change();
      else if (dice < 0.75 && known !== undefined) {
        hosts.versions.set(known.url, step);
        note(known.url);
      } else await clock.pass(pick(random, [0.1, 1, 5, 20, 100]));
      check();
    }
    hosts.isGood = true;
    await clock.pass(1100);
    for (const wanted of wants.values()) want({ ...wanted, version: 1000 });
    await clock.pass(400);
    check();
    const expected = Object.fromEntries([...wants].map(([path, { url }]) => [path, hosts.contentOf(url)]));
    const files = published().map(([path, content]) => [`${folder.path}/${path}`, content]);
    assert.deepEqual(Object.fromEntries(files), expected);
    assert.deepEqual([downloads.awaited.size, downloads.failed.size, downloads.refused], [0, 0, []]);
    await downloads.close();
    assert.deepEqual(temporariesIn(folder.path), []);
  } catch (error) {
    throw new Error(
      `life ${seed}: ${error instanceof Error ? error.message : error}\n${log.lines.slice(-30).join("\n")}`,
    );
  } finally {
    await downloads.close();
  }
}

Deno.test(`from hosts made of chance to the disk: whole files only, and all in the end (FAULTS_SEED=${SEED})`, async () => {
  for (let life = 0; life < 150 * FACTOR; life++) await oneLife((SEED + life) >>> 0);
});
