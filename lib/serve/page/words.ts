/** Times, sizes and numbers as people read them. */
import { type Html, markup, shortened } from "./markup.ts";

const UNITS: readonly (readonly [string, number])[] = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];

/** `4 min`, `30 h`: the largest unit of which there are two. Below two minutes, seconds; below a second, milliseconds. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${trimmed(seconds)} s`;
  const [unit, length] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ["s", 1];
  return `${Math.floor(seconds / length)} ${unit}`;
}

/** `4 min ago` or `in 12 s`, with the absolute time for machines and in the tooltip. */
export function relativeTime(at: string, now: string): Html {
  const seconds = (Date.parse(now) - Date.parse(at)) / 1000;
  if (Number.isNaN(seconds)) return markup`${shortened(at)}`;
  const whole = Math.floor(Math.abs(seconds));
  const words = whole === 0 ? "now" : seconds < 0 ? `in ${duration(whole)}` : `${duration(whole)} ago`;
  return time(at, words);
}

/** `for 4 min` of something that began then. */
export function lasting(since: string, now: string): Html {
  const seconds = (Date.parse(now) - Date.parse(since)) / 1000;
  if (Number.isNaN(seconds)) return markup`since ${shortened(since)}`;
  return markup`for ${time(since, duration(Math.max(1, Math.floor(seconds))))}`;
}

export function time(at: string, words: string): Html {
  return markup`<time datetime="${at}" title="${absolute(at)}">${words}</time>`;
}

/** `2026-11-25 14:06:31 UTC`. */
export function absolute(at: string): string {
  const milliseconds = Date.parse(at);
  if (Number.isNaN(milliseconds)) return at;
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `263 B`, `41.2 kB`, `1.2 GB`. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, "B"];
  for (const larger of ["kB", "MB", "GB", "TB"]) {
    if (value < 999.5) break;
    [value, unit] = [value / 1000, larger];
  }
  return `${unit === "B" ? value : trimmed(value)} ${unit}`;
}

/** `1,234,567`. */
export function count(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `1 problem`, `2 problems`. */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** One decimal below 100. */
function trimmed(value: number): string {
  return value < 99.95 ? value.toFixed(1).replace(/\.0$/, "") : String(Math.round(value));
}
