/** What the query of the page's URL asks for. Anything unknown in it is ignored. */
import { escaped } from "../../runtime/escaped.ts";

/** Rows of a page. */
export const PAGE_ROWS = 500;

const MAX_FILTER = 200;

export interface PageQuery {
  /** Text that a row must have; empty: all rows. */
  filter: string;
  /** The page of files, from 1. */
  page: number;
  /** Whether the page refreshes itself. */
  live: boolean;
}

export function readQuery(parameters: URLSearchParams): PageQuery {
  const page = /^[1-9]\d{0,8}$/.exec(parameters.get("page") ?? "")?.[0];
  return {
    filter: (parameters.get("q") ?? "").trim().slice(0, MAX_FILTER),
    page: Number(page ?? 1),
    live: parameters.has("live"),
  };
}

/** A relative URL, so that it works behind a proxy that adds a path. */
export function linkTo({ filter, page, live }: PageQuery): string {
  const parts = [
    filter !== "" && `q=${encodeURIComponent(filter.slice(0, MAX_FILTER).toWellFormed())}`,
    page > 1 && `page=${page}`,
    live && "live",
  ];
  return `?${parts.filter((part) => part !== false).join("&")}`;
}

/**
 * Whether one of the texts has each word of the filter, in upper or lower case. It looks at the texts as the page shows
 * them, so that what was copied from it is found.
 */
export function matcher(filter: string): (texts: readonly (string | undefined)[]) => boolean {
  const words = escaped(filter).toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return () => true;
  return (texts) => {
    const shown = escaped(texts.filter((text) => text !== undefined).join(" ")).toLowerCase();
    return words.every((word) => shown.includes(word));
  };
}
