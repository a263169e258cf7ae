/** The embedded API server behind a gateway that sees every request and may answer in its place. */
import { EmbeddedApiServer } from "../apiserver/api_server.ts";
import { KubeClient } from "../../lib/kube/client/client.ts";
import { plainCredentials } from "../../lib/kube/client/plain_credentials.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { serve } from "./local_servers.ts";

export interface SeenRequest {
  method: string;
  /** With the query. */
  path: string;
  /** The parsed JSON, if any. */
  // deno-lint-ignore no-explicit-any
  body: any;
}

export class ApiGateway implements AsyncDisposable {
  readonly server: EmbeddedApiServer;
  readonly requests: SeenRequest[] = [];
  readonly client: KubeClient;
  /** Answers in the API server's place; `undefined`: the API server does. */
  intercept: (request: SeenRequest) => Response | undefined | Promise<Response | undefined> = () => undefined;
  readonly #front = serve((request) => this.#answer(request));
  readonly url = `http://127.0.0.1:${this.#front.port}`;

  /** @param now the API server's clock */
  constructor(now: () => Date = () => new Date()) {
    this.server = EmbeddedApiServer.start({ now });
    this.client = new KubeClient({
      credentials: plainCredentials(this.url),
      skipTlsVerify: false,
      userAgent: "test",
      env: {},
      clock: systemClock,
    });
  }

  /** `METHOD PATH` of each request that came. */
  get seen(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.#front[Symbol.asyncDispose]();
    await this.server.close();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    const seen: SeenRequest = {
      method: request.method,
      path: pathname + search,
      body: text === "" ? undefined : JSON.parse(text),
    };
    this.requests.push(seen);
    const answer = await this.intercept(seen);
    if (answer !== undefined) return answer;
    const { method, headers } = request;
    return await fetch(this.server.url + seen.path, { method, headers, ...(text === "" ? {} : { body: text }) });
  }
}

/** An error answer as the API server gives it. */
export function refusal(code: number, reason: string, message: string): Response {
  return Response.json({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message }, {
    status: code,
  });
}

/** A log that keeps its lines, as `level: message`, and the properties of each. */
export function keptLog() {
  const lines: string[] = [];
  const properties: Record<string, unknown>[] = [];
  const at = (level: string) => (message: string, those: Record<string, unknown> = {}) => {
    lines.push(`${level}: ${message}`);
    properties.push(those);
  };
  return {
    lines,
    properties,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    critical: at("critical"),
  };
}
