/** Times, sizes and numbers as people read them. */

const UNITS: readonly (readonly [string, number])[] = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];

/** `4 min`, `30 h`: the largest unit of which there are two. Below a second, milliseconds. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${trimmed(seconds)} s`;
  const [unit, length] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ["s", 1];
  return `${Math.floor(seconds / length)} ${unit}`;
}

/** `4 min ago`, `in 12 s` or `now`. Times in RFC 3339. */
export function relativeTime(at: string, now: string): string {
  const seconds = (Date.parse(now) - Date.parse(at)) / 1000;
  if (Number.isNaN(seconds)) return at;
  const whole = Math.floor(Math.abs(seconds));
  if (whole === 0) return "now";
  return seconds < 0 ? `in ${duration(whole)}` : `${duration(whole)} ago`;
}

/** `for 4 min`. */
export function lasting(since: string, now: string): string {
  const seconds = (Date.parse(now) - Date.parse(since)) / 1000;
  return Number.isNaN(seconds) ? `since ${since}` : `for ${duration(Math.max(1, Math.floor(seconds)))}`;
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

/** `1 problem`, `1,234 problems`. */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** One decimal below 100. */
function trimmed(value: number): string {
  return value < 99.95 ? value.toFixed(1).replace(/\.0$/, "") : String(Math.round(value));
}
