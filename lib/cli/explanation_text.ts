/** The text of `k8s-sidecar explain`, at most 100 columns wide unless a path is longer. */
import type {
  CollectionExplanation,
  Explanation,
  FileExplanation,
  FollowingNotification,
} from "../plan/explanation.ts";
import { hasLabelHint, lacksLabel } from "../plan/label_hint.ts";
import { escaped } from "../runtime/escaped.ts";
import { lasting, relativeTime, size } from "../runtime/quantities.ts";
import type { Problem } from "../serve/status.ts";
import { type Colours, wrapText } from "./report.ts";

export interface TextOptions extends Colours {
  /** In RFC 3339. */
  now: string;
}

export function explanationText(explanation: Explanation, options: TextOptions): string {
  const { summary, collections, problems, suggestions, sidecar, about, unknown } = explanation;
  // The cures of other collections would lead the wrong way
  const others = otherThanMeant(collections);
  const shown = collections.filter((collection) => !others.includes(collection));
  const named = new Set(collections.map(({ name }) => name)).size > 1;
  const problemTexts = problems.flatMap((problem) => problemLines(problem, about, options));
  const fileTexts = shown.flatMap((collection) => collectionLines(collection, about, named, options));
  return [
    options.bold(wrapText(escaped(summary))),
    ...(suggestions.length === 0 ? [] : [wrapText(`did you mean ${suggestions.join(", or ")}?`, { first: "  " })]),
    ...(sidecar.isRunning ? [] : [
      options.dim(wrapText(`from the cluster and the disk alone: ${sidecar.reason}`, { first: "  ", indent: "    " })),
    ]),
    ...(unknown === undefined ? [] : [
      wrapText(unknown, { first: "  unknown: ", indent: "      " }).replace("unknown", options.yellow),
    ]),
    ...(about === undefined ? [...problemTexts, ...fileTexts] : [...fileTexts, ...problemTexts]),
    ...(others.length === 0 ? [] : [
      options.dim(
        wrapText(escaped(`not selected by ${others.map(({ name }) => name).join(", ")}`), {
          first: "  ",
          indent: "      ",
        }),
      ),
    ]),
  ].join("\n");
}

/** Collections that do not select the object, where one selects it, or was probably meant to. */
function otherThanMeant(collections: readonly CollectionExplanation[]): CollectionExplanation[] {
  const unselected = collections.filter(({ isSelected, files }) => !isSelected && files.length === 0);
  if (collections.some(({ isSelected }) => isSelected)) return unselected;
  const isNear = collections.some(({ reasons }) => reasons.some(({ what }) => hasLabelHint(what)));
  return isNear ? unselected.filter(({ reasons }) => reasons.some(({ what }) => lacksLabel(what))) : [];
}

function collectionLines(
  { name, isSelected, reasons, files: all }: CollectionExplanation,
  about: string | undefined,
  named: boolean,
  options: TextOptions,
): string[] {
  const files = all.filter(({ hasProblem }) => !hasProblem);
  const of = named ? `collection ${name}: ` : "";
  const isOther = !isSelected && files.length > 0;
  const whose = isOther ? `${files[0]!.object}: ` : "";
  const lines = reasons.flatMap(({ what, cure }) => [
    wrapText(escaped(`${of}${whose}${what}`), { first: "  not selected: ", indent: "      " })
      .replace("not selected", options.yellow),
    cureLine(cure),
  ]);
  if (isOther) return lines;
  if (named && isSelected && (files.length > 0 || about !== undefined)) lines.push(`  collection ${name}`);
  return [...lines, ...files.flatMap((file) => fileLines(file, about, options))];
}

function fileLines(file: FileExplanation, about: string | undefined, options: TextOptions): string[] {
  const { path, key, object, state, detail, cure, others = [], size: bytes, writtenAt, notification } = file;
  const paint = state === "in place"
    ? options.green
    : state === "lost" || state === "broken"
    ? options.red
    : options.yellow;
  const facts = [
    ...(about === object ? [] : [object]),
    ...(key === undefined || path.endsWith(`/${key}`) ? [] : [`key ${key}`]),
    ...(bytes === undefined ? [] : [size(bytes)]),
    ...(writtenAt === undefined ? [] : [`written ${relativeTime(writtenAt, options.now)}`]),
  ];
  const more = (text: string) => wrapText(escaped(text), { first: "    ", indent: "      " });
  return [
    `  ${paint(state)}: ${escaped(about === path ? object : path)}${
      about === path ? ofFacts(facts.filter((fact) => fact !== object)) : ofFacts(facts)
    }`,
    ...(detail === undefined ? [] : [more(detail)]),
    ...(others.length === 0 || state === "lost" ? [] : [more(`claimed, too, by ${others.join(", ")}`)]),
    ...(notification === undefined ? [] : [more(notificationText(notification, options.now))]),
    ...(cure === undefined ? [] : [cureLine(cure)]),
  ];
}

function notificationText({ kind, to, result, detail, at }: FollowingNotification, now: string): string {
  if (result === "pending") return `then ${kind} ${to}: pending, for this file or for others`;
  const time = at === undefined ? "" : `, ${relativeTime(at, now)}`;
  return `then ${kind} ${to}: ${result === "failed" ? "failed, " : ""}${detail}${time}`;
}

function ofFacts(facts: readonly string[]): string {
  return facts.length === 0 ? "" : `  (${facts.join(", ")})`;
}

function problemLines(
  { severity, object, what, cure, since }: Problem,
  about: string | undefined,
  { now, red, yellow }: TextOptions,
): string[] {
  const subject = object === undefined || object === about ? "" : `${object}: `;
  const time = since === undefined ? "" : `, ${lasting(since, now)}`;
  return [
    wrapText(escaped(`${subject}${what}${time}`), { first: `  ${severity}: `, indent: "      " })
      .replace(severity, severity === "error" ? red : yellow),
    cureLine(cure),
  ];
}

function cureLine(cure: string): string {
  return wrapText(escaped(`cure: ${cure}`), { first: "    ", indent: "      " });
}
