/** STATUS_PAGE: who may see the status, which names objects and files. */
import type { HttpRequest } from "./responder.ts";

export type StatusPolicy = "local" | "all" | "none";

/** The pod itself, and `kubectl port-forward`. */
const LOCAL_ADDRESSES: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

/** Names of this machine: with another one, the page of a stranger may have had its own name lead here (DNS rebinding). */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\]|\[::ffff:127\.0\.0\.1\]|\[::ffff:7f00:1\])(:\d+)?$/i;

/** Why a request gets no status; `undefined`: it gets it. */
export function refusalOf({ remote, headers }: Pick<HttpRequest, "remote" | "headers">, policy: StatusPolicy) {
  if (policy === "all") return undefined;
  if (policy === "none") return "STATUS_PAGE=none: the status is turned off";
  const host = headers.get("host") ?? "";
  if (LOCAL_ADDRESSES.has(remote) && (host === "" || LOCAL_HOST.test(host))) return undefined;
  return LOCAL_ADDRESSES.has(remote)
    ? "STATUS_PAGE=local: ask for it as localhost, as kubectl port-forward does, or set STATUS_PAGE=all"
    : "STATUS_PAGE=local: only the pod itself and kubectl port-forward see the status; set STATUS_PAGE=all for others";
}
