import type { Status } from "../../objects/object.ts";

/** The API server answered, and the answer was no. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status, or the code of a Status that came in a stream. */
  readonly status: number;
  /** Machine-readable reason, such as `Expired` or `Forbidden`. */
  readonly reason: string;
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(request: string, status: number, body: Partial<Status> | undefined, retryAfter?: number) {
    super(`${request}: ${body?.message ?? `HTTP status ${status}`}`);
    this.status = status;
    this.reason = body?.reason ?? "";
    this.retryAfter = retryAfter ?? body?.details?.retryAfterSeconds;
  }

  /** The version asked for is no longer, or never was, in the server's history: only a new list helps. */
  get isExpired(): boolean {
    return this.status === 410 || this.reason === "Expired" || this.reason === "Gone";
  }

  /** The version asked for is ahead of the server's: its store was put back to an earlier state. */
  get isAheadOfServer(): boolean {
    return this.status === 504 && this.message.includes("Too large resource version");
  }

  /** A streaming list that this server does not know: 422, or 400 where a proxy checks the query. */
  get refusesStreamingList(): boolean {
    return this.status === 422 || this.status === 400;
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }
}

/** An answer that is not what the API says: HTML of a proxy in the way, a stream cut in mid-object. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}
