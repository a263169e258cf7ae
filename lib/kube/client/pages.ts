/** The sequence of requests that lists all objects page by page. */
import { ApiError } from "./errors.ts";
import type { ListQuery, ListResult } from "./client.ts";

/** Objects per page; client-go's default. */
const PAGE_SIZE = 500;

export const FIRST_PAGE: ListQuery = { limit: PAGE_SIZE };

/** The query for the page after `result`; `undefined` when the list is complete. */
export function nextPage(result: ListResult): ListQuery | undefined {
  return result.continue === undefined ? undefined : { limit: PAGE_SIZE, continue: result.continue };
}

/**
 * The query that restarts a list whose `continue` token has expired; `undefined` if `error` has another cause. It
 * requests everything in one page, because on a busy server the list could expire between two pages again.
 */
export function restartedList(query: ListQuery, error: unknown): ListQuery | undefined {
  const isExpired = error instanceof ApiError && error.isExpired && query.continue !== undefined;
  return isExpired ? {} : undefined;
}
