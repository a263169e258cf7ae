/**
 * How kiwigrid's image (2.11) reads a value that our types refuse: functions for the `kiwigridReads` of a row. Each
 * returns the value to use, as text. If the type refuses that text too, the default is used. `undefined`: kiwigrid's
 * image does not start with the value either.
 */
type Reading = (text: string) => string | undefined;

/** For a value that kiwigrid compares with one word, or reads only after the start. */
export const anyAsDefault: Reading = () => "";

/** For a value that is true only if it is `true`. */
export const anyAsFalse: Reading = () => "false";

/** For a value that kiwigrid reads with Python's `int()` at the start. Accepts signs and underscores. */
export const pythonInteger: Reading = (text) => numeralOf(text, /^[+-]?\d+(_\d+)*$/);

/** For a value that kiwigrid reads with Python's `float()` at the start. */
export const pythonFloat: Reading = (text) =>
  numeralOf(text, /^[+-]?(((\d+(_\d+)*)(\.(\d+(_\d+)*)?)?|\.\d+(_\d+)*)(e[+-]?\d+)?|inf|infinity|nan)$/i);

/**
 * For a file mode. With a mode that is not octal, kiwigrid fails only after it has written the first file, with the
 * mode of the umask. An octal mode that we refuse (`64`) remains a fault, because the default could be wider than
 * intended.
 */
export const notOctalAsDefault: Reading = (text) => /^[+-]?(0o)?[0-7_]+$/i.test(text.trim()) ? undefined : "";

/** The number in a form that our types accept. */
function numeralOf(text: string, form: RegExp): string | undefined {
  const trimmed = text.trim();
  return form.test(trimmed) ? String(Number(trimmed.replaceAll("_", ""))) : undefined;
}
