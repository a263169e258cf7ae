import { TransportError } from "../../http/transport.ts";
import { AnswerError, ApiError } from "./api_error.ts";
import { CredentialsError } from "./credentials.ts";

/** Statuses below 500 of which the request is not the cause: 401 (tokens rotate), 408 and 429 (the server is busy). */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([401, 408, 429]);

/** Whether the same request may succeed later, without anybody changing anything about it. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || TRANSIENT_STATUSES.has(error.status);
  return error instanceof TransportError || error instanceof AnswerError || error instanceof CredentialsError;
}
