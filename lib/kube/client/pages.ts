/** Which request follows which while a collection is listed in pages. */
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
 * The query that begins the list again when the `continue` of `query` has expired; `undefined` when `error` is another
 * one. It asks for everything in one page: a server so busy that a list expires between two pages would do it again.
 */
export function restartedList(query: ListQuery, error: unknown): ListQuery | undefined {
  const isExpired = error instanceof ApiError && error.isExpired && query.continue !== undefined;
  return isExpired ? {} : undefined;
}
