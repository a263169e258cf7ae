/**
 * The seconds that a `Retry-After` header asks for; `undefined` when there is none, or none that can be understood.
 *
 * @param now wall clock, in ms: the header may hold a date
 */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text);
  const date = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
