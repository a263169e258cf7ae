/** Suggests names that somebody may have meant. */

/** Suggestions at most. */
const MAX_NAMES = 3;

/** The nearest of some names: those with few slips, or that contain the other. */
export function nearNames(wanted: string, names: Iterable<string>): string[] {
  const found: { name: string; distance: number }[] = [];
  const most = Math.max(1, Math.floor(wanted.length / 4));
  for (const name of new Set(names)) {
    if (name === wanted) continue;
    const contains = wanted.length >= 3 && name.length >= 3 && (name.includes(wanted) || wanted.includes(name));
    const distance = contains ? most : distanceOf(wanted, name, most);
    if (distance <= most) found.push({ name, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found.slice(0, MAX_NAMES).map(({ name }) => name);
}

/** Levenshtein's distance, or more than `most`. */
function distanceOf(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
