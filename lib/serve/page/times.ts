/** Times in words, with the absolute time for machines and as a tooltip. */
import * as words from "../../runtime/quantities.ts";
import { type Html, markup, shortened } from "./markup.ts";

/** `4 min ago`, `in 12 s` or `now`. */
export function relativeTime(at: string, now: string): Html {
  return time(at, words.relativeTime(at, now));
}

/** `for 4 min`. */
export function lasting(since: string, now: string): Html {
  return time(since, words.lasting(since, now));
}

/** `2026-11-25 14:06:31 UTC`. */
export function absoluteTime(at: string): Html {
  return time(at, absolute(at) ?? at);
}

/** A text alone, if that is no time. */
export function time(at: string, text: string): Html {
  const title = absolute(at);
  if (title === undefined) return markup`${shortened(text)}`;
  return markup`<time datetime="${at}" title="${title}">${text}</time>`;
}

function absolute(at: string): string | undefined {
  const milliseconds = Date.parse(at);
  if (Number.isNaN(milliseconds)) return undefined;
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
