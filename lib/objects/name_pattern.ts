/** The regular expression for a pattern of names in which `*` stands for any characters. */
export function namePattern(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`);
}
