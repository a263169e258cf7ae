/**
 * `{ name: value }`, or `{}` when the value is `undefined`: for object literals under `exactOptionalPropertyTypes`.
 *
 *     return { port, ...given("host", host) };
 */
export function given<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : { [name]: value } as { [P in K]?: T };
}
