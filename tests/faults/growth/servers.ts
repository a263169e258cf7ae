/** The servers that the collections of the growth soak ask: for the content of `*.url` keys, and for webhooks. */
import { gzipSync } from "node:zlib";
import { seconds } from "../../support/fault_story.ts";
import { encode, listen, serve } from "../../support/local_servers.ts";

export interface Neighbour extends AsyncDisposable {
  readonly url: string;
  /** Whether it answers with faults, too. */
  isMoody: boolean;
  /** Requests so far. */
  asked: number;
}

/** Longer than the `timeout` of the webhooks. */
const HANG_SECONDS = 3;

/** What a download of this path brings. */
export function contentOf(path: string): string {
  return `${path}\n`.repeat(1 + path.length * 40);
}

/** Serves {@link contentOf} with an ETag, what ends in `.gz` as an archive, and 404 below `/missing/`. */
export function downloadServer(random: () => number): Neighbour {
  const breaking = breakingServer();
  const answers = neighbour(async (request, isMoody) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/missing/")) return new Response("no such file", { status: 404 });
    const dice = isMoody ? random() : 1;
    if (dice < 0.06) return new Response("slow down", { status: 429, headers: { "retry-after": "1" } });
    if (dice < 0.1) return new Response("busy", { status: 503 });
    if (dice < 0.13) return new Response("broken", { status: 500 });
    if (dice < 0.16) return Response.redirect(`http://127.0.0.1:${breaking.port}${pathname}`);
    if (dice < 0.22) await seconds(2 * random());
    const etag = `"${pathname}"`;
    if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers: { etag } });
    const content = contentOf(pathname);
    return new Response(pathname.endsWith(".gz") ? new Uint8Array(gzipSync(content)) : content, { headers: { etag } });
  });
  const close = answers[Symbol.asyncDispose];
  answers[Symbol.asyncDispose] = async () => {
    await close();
    await breaking[Symbol.asyncDispose]();
  };
  return answers;
}

export function webhookServer(random: () => number): Neighbour {
  return neighbour(async (request, isMoody) => {
    await request.body?.cancel();
    const dice = isMoody ? random() : 1;
    if (dice < 0.1) return new Response("who are you", { status: 401 });
    if (dice < 0.2) return new Response("broken", { status: 500 });
    if (dice < 0.25) return new Response("busy", { status: 503, headers: { "retry-after": "1" } });
    if (dice < 0.3) await seconds(HANG_SECONDS);
    return new Response("reloaded");
  });
}

function neighbour(answer: (request: Request, isMoody: boolean) => Promise<Response>): Neighbour {
  const { port, [Symbol.asyncDispose]: close } = serve(async (request) => {
    result.asked++;
    return await answer(request, result.isMoody);
  });
  const result = { url: `http://127.0.0.1:${port}`, isMoody: true, asked: 0, [Symbol.asyncDispose]: close };
  return result;
}

/** Ends each answer in the middle. */
function breakingServer() {
  return listen(async (connection) => {
    await connection.write(encode("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nhalf of it"));
    connection.close();
  });
}
