/** Stand-ins for the applications that run beside the sidecar: they answer, and read their folder, as the real ones do. */
import { join } from "node:path";
import { parse } from "yaml";
import { freePort } from "../support/free_port.ts";

export interface Call {
  method: string;
  path: string;
  /** What was answered. */
  status: number;
  /** The files that the application found, by name, when it was told to look. */
  files: Record<string, string>;
}

type Answer = (request: Request, url: URL) => { status: number; body: string; files?: Record<string, string> };

/** An HTTP server whose port refuses connections until it is started. */
class Application implements AsyncDisposable {
  readonly port = freePort();
  readonly calls: Call[] = [];
  readonly #answer: Answer;
  #server: Deno.HttpServer | undefined;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** Calls that did what they asked for. */
  get reloads(): Call[] {
    return this.calls.filter(({ status }) => status === 200);
  }

  start(): void {
    this.#server = Deno.serve({ port: this.port, hostname: "127.0.0.1", onListen() {} }, async (request) => {
      await request.body?.cancel();
      const url = new URL(request.url);
      const { status, body, files = {} } = this.#answer(request, url);
      this.calls.push({ method: request.method, path: url.pathname, status, files });
      return new Response(body, { status });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.shutdown();
  }
}

/**
 * Grafana's provisioning API. A reload needs the administrator's basic auth, and reads dashboards as `.json` anywhere below
 * their folder, the rest as `.yaml` directly in it; what it cannot read makes it answer 500.
 */
export class Grafana extends Application {
  constructor(folders: Partial<Record<"dashboards" | "datasources" | "alerting", string>>, password: string) {
    super((request, { pathname }) => {
      const what = /^\/api\/admin\/provisioning\/(\w+)\/reload$/.exec(pathname)?.[1] as
        | keyof typeof folders
        | undefined;
      const folder = what === undefined ? undefined : folders[what];
      if (request.method !== "POST" || folder === undefined) return { status: 404, body: "Not found" };
      if (request.headers.get("authorization") !== `Basic ${btoa(`admin:${password}`)}`) {
        return { status: 401, body: '{"message":"Invalid username or password"}' };
      }
      try {
        const files = what === "dashboards"
          ? read(folder, /\.json$/, JSON.parse, true)
          : read(folder, /\.ya?ml$/, parse, false);
        return { status: 200, body: `{"message":"${what} config reloaded"}`, files };
      } catch (error) {
        return { status: 500, body: String(error) };
      }
    });
  }
}

/** Jenkins' Configuration as Code: while Jenkins boots it answers 503; the token in the query must be the pod's name. */
export class Jenkins extends Application {
  isReady = false;

  constructor(folder: string, token: string) {
    super((request, url) => {
      if (!this.isReady) return { status: 503, body: "Please wait while Jenkins is getting ready to work" };
      if (url.pathname !== "/reload-configuration-as-code/") return { status: 404, body: "Not Found" };
      if (request.method !== "POST") return { status: 405, body: "Method Not Allowed" };
      if (url.searchParams.get("casc-reload-token") !== token) return { status: 401, body: "Unauthorized" };
      return { status: 200, body: "", files: read(folder, /\.ya?ml$/i, parse, true) };
    });
  }
}

export interface RulesSeen {
  /** How often the rules were read. */
  polls: number;
  /** The different texts of each file, in the order in which they were seen. */
  texts: Map<string, string[]>;
}

/**
 * Loki's local rule store, which polls: each directory of the folder is a tenant, every file directly in it is one of its
 * rule files, whatever its name. Source: `pkg/ruler/rulestore/local/local.go`. A real poll comes once a minute; a file that
 * is gone between its listing and its reading is passed over here.
 */
export async function pollAsLoki(folder: string, seen: RulesSeen, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    seen.polls++;
    for (const tenant of readDirectory(folder)) {
      if (tenant.isDirectory) pollTenant(join(folder, tenant.name), seen);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function pollTenant(directory: string, seen: RulesSeen): void {
  for (const { name, isFile } of readDirectory(directory)) {
    if (!isFile) continue;
    try {
      const text = Deno.readTextFileSync(join(directory, name));
      const texts = seen.texts.get(name) ?? [];
      if (texts.at(-1) !== text) seen.texts.set(name, [...texts, text]);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function read(
  folder: string,
  name: RegExp,
  parseText: (text: string) => unknown,
  recursive: boolean,
  prefix = "",
): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readDirectory(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && recursive) {
      Object.assign(files, read(path, name, parseText, true, `${prefix}${entry.name}/`));
    }
    if (!entry.isFile || !name.test(entry.name)) continue;
    const text = Deno.readTextFileSync(path);
    parseText(text);
    files[prefix + entry.name] = text;
  }
  return files;
}

function readDirectory(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
