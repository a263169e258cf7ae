/**
 * What kiwigrid's image (2.11) makes of a value that our types refuse: functions for the `kiwigridReads` of a row. Each
 * returns the value to use, as written in the environment; a value that the type refuses, too, stands for the default;
 * `undefined` when that image does not start with the value either.
 */
type Reading = (text: string) => string | undefined;

/** It compares with one word, or reads the value so late that the start does not fail. */
export const anyAsDefault: Reading = () => "";

/** Only `true` is true. */
export const anyAsFalse: Reading = () => "false";

/** `int()` of Python, which fails the start. Accepts signs and underscores. */
export const pythonInteger: Reading = (text) => numeralOf(text, /^[+-]?\d+(_\d+)*$/);

/** `float()` of Python, which fails the start. */
export const pythonFloat: Reading = (text) =>
  numeralOf(text, /^[+-]?(((\d+(_\d+)*)(\.(\d+(_\d+)*)?)?|\.\d+(_\d+)*)(e[+-]?\d+)?|inf|infinity|nan)$/i);

/**
 * A mode that is not octal only fails when the first file has been written, with the mode of the umask. An octal one that
 * we refuse (`64`) stays a fault: the default could be wider than what was meant.
 */
export const notOctalAsDefault: Reading = (text) => /^[+-]?(0o)?[0-7_]+$/i.test(text.trim()) ? undefined : "";

/** In the form that our types read. */
function numeralOf(text: string, form: RegExp): string | undefined {
  const trimmed = text.trim();
  return form.test(trimmed) ? String(Number(trimmed.replaceAll("_", ""))) : undefined;
}
