/** A label that is missing, and what the object has in its place. */
import { nearNames } from "./near_names.ts";

type Values = Readonly<Record<string, string>>;

/** Shorter names are near to too many others. */
const MIN_LENGTH = 5;

const MAX_LENGTH_DIFFERENCE = 2;

/** `undefined`: nothing comes near. */
export function labelHint(key: string, labels: Values, annotations: Values): string | undefined {
  const near = nearLabel(key, Object.keys(labels));
  if (near !== undefined) return `it has the label ${near}: did you mean that?`;
  return Object.hasOwn(annotations, key) ? "it has an annotation of that name, which is no label" : undefined;
}

export function hasLabelHint(reason: string): boolean {
  return /; it has (the label|an annotation) /.test(reason);
}

/** Whether the reason is a label that is missing, and nothing comes near. */
export function lacksLabel(reason: string): boolean {
  return /^label \S+ is missing/.test(reason) && !hasLabelHint(reason);
}

function nearLabel(key: string, labels: readonly string[]): string | undefined {
  const [prefix, name] = partsOf(key);
  return labels.find((label) => {
    const [otherPrefix, otherName] = partsOf(label);
    return isNear(prefix, otherPrefix) && name === otherName || prefix === otherPrefix && isNear(name, otherName);
  });
}

/** Of `example.com/name`; upper case and separators are mixed up most. */
function partsOf(key: string): [prefix: string, name: string] {
  const [name = "", prefix = ""] = key.toLowerCase().replace(/[-_.]/g, "").split("/").reverse();
  return [prefix, name];
}

function isNear(wanted: string, other: string): boolean {
  if (wanted === other) return true;
  // Names that contain another are no slips
  const isAlike = wanted.length >= MIN_LENGTH && Math.abs(wanted.length - other.length) <= MAX_LENGTH_DIFFERENCE;
  return isAlike && nearNames(wanted, [other]).length > 0;
}
