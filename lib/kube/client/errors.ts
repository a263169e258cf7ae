/** The errors of requests to the API server, and which of them are worth a retry. */
import type { Status } from "../../objects/object.ts";
import { TransportError } from "../../http/transport.ts";

/** The API server refused a request. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status, or the code of a Status that came in a stream. */
  readonly status: number;
  /** Machine-readable reason, such as `Expired` or `Forbidden`. */
  readonly reason: string;
  /** Retry-After of the answer, in seconds. */
  readonly retryAfter: number | undefined;

  constructor(request: string, status: number, body: Partial<Status> | undefined, retryAfter?: number) {
    super(`${request}: ${body?.message ?? `HTTP status ${status}`}`);
    this.status = status;
    this.reason = body?.reason ?? "";
    this.retryAfter = retryAfter ?? body?.details?.retryAfterSeconds;
  }

  /** The server's history does not contain the requested resourceVersion; only a new list helps. */
  get isExpired(): boolean {
    return this.status === 410 || this.reason === "Expired" || this.reason === "Gone";
  }

  /** The requested resourceVersion is newer than the server's: its etcd was restored from a backup. */
  get isAheadOfServer(): boolean {
    return this.status === 504 && this.message.includes("Too large resource version");
  }

  /** The server does not know streaming lists: 422, or 400 from a proxy that validates the query. */
  get refusesStreamingList(): boolean {
    return this.status === 422 || this.status === 400;
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }
}

/** An answer that is not what the API defines: a proxy's HTML page, an object cut in half. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** Credentials that cannot be read or used. The message names the file and what to check. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

/** Statuses below 500 that are not the fault of the request: 401 (tokens rotate), 408 and 429 (the server is busy). */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([401, 408, 429]);

/**
 * Whether the same request may succeed later without a change of the request, the RBAC rules or the object. An expired
 * resourceVersion (410) is not transient, because the request must change.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || TRANSIENT_STATUSES.has(error.status);
  return error instanceof TransportError || error instanceof AnswerError || error instanceof CredentialsError;
}

/** Whether a new list would fail in the same way until somebody changes something, such as RBAC. */
export function isFinal(error: unknown): boolean {
  return error instanceof ApiError && !error.isExpired && !isTransient(error);
}
