/** Matches the names that a pattern means, in which `*` stands for any characters. */
export function namePattern(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`);
}
