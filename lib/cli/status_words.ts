/** A status in words, for a terminal. */
import { escaped } from "../runtime/escaped.ts";
import { counted, duration, lasting, relativeTime, size } from "../runtime/quantities.ts";
import type { CollectionStatus, NotificationStatus, Problem, SourceStatus, Status } from "../serve/status.ts";
import { type Colours, wrapText } from "./report.ts";

/** Problems, sources and notifications that are shown. `-o json` has all. */
const MAX_PROBLEMS = 100;
const MAX_SOURCES = 20;
const MAX_NOTIFICATIONS = 10;

export function describeStatus(status: Status, colours: Colours): string {
  const { collections, files, notifications, sources, problems } = status;
  const blocks = [
    headOf(status, colours),
    section(
      counted(problems.length, "problem"),
      problems,
      MAX_PROBLEMS,
      (it) => problemOf(it, status, colours),
      colours,
    ),
    section(
      counted(collections.length, "collection"),
      collections,
      Infinity,
      (it) => collectionOf(it, status),
      colours,
    ),
    section(counted(sources.length, "source"), sources, MAX_SOURCES, (it) => sourceOf(it, status), colours),
    section("last notifications", notifications, MAX_NOTIFICATIONS, (it) => notificationOf(it, status), colours),
    wrapText(`${counted(files.length, "file")}; \`k8s-sidecar status -o json\` lists them with owner, size and hash`),
  ];
  return blocks.filter((block) => block !== "").join("\n\n");
}

function headOf(status: Status, { bold, red }: Colours): string {
  const { build, hostname, now, startedAt, notReady, notLive, method, origin, instance, configFile } = status;
  const revision = build.revision === "" ? "" : ` (${text(build.revision)})`;
  const up = lasting(startedAt, now);
  const lines = [
    bold(`k8s-sidecar ${text(build.version)}${revision}${hostname === "" ? "" : ` on ${text(hostname)}`}, up ${up}`),
    notReady === undefined ? "ready" : red(wrapText(`not ready: ${text(notReady)}`)),
    notLive === undefined ? "live" : red(wrapText(`not live: ${text(notLive)}`)),
    wrapText(`METHOD=${method}, objects of ${text(origin)}, instance ${text(instance)}`),
  ];
  if (configFile !== undefined) {
    lines.push(wrapText(`CONFIG_FILE=${text(configFile.path)}, read ${relativeTime(configFile.loadedAt, now)}`));
  }
  return lines.join("\n");
}

function section<T>(
  title: string,
  items: readonly T[],
  max: number,
  show: (item: T) => string,
  { bold }: Colours,
): string {
  if (items.length === 0) return title.startsWith("0 problem") ? bold("no problems") : "";
  const more = items.length - max;
  const rest = more > 0 ? [`  and ${more} more: k8s-sidecar status -o json`] : [];
  return [bold(title), ...items.slice(0, max).map(show), ...rest].join("\n");
}

function problemOf(problem: Problem, { now, collections }: Status, { red, yellow }: Colours): string {
  const { severity, collection, object, key, what, cure, since } = problem;
  const paint = severity === "error" ? red : yellow;
  const about = [
    collections.length > 1 ? collection : undefined,
    object,
    key === undefined ? undefined : `key ${key}`,
  ].filter((it) => it !== undefined).join(", ");
  const time = since === undefined ? "" : `, ${lasting(since, now)}`;
  const line = wrapText(`${about === "" ? "" : `${text(about)}: `}${text(what)}${time}`, {
    first: `  ${severity}: `,
    indent: "      ",
  });
  return `${line.replace(severity, paint(severity))}\n${wrapText(text(cure), { first: "    ", indent: "    " })}`;
}

function collectionOf(collection: CollectionStatus, { now }: Status): string {
  const { name, selects, folder, state, since, objects, files, bytes, changedAt, notification } = collection;
  const lines = [
    wrapText(`${text(name)}: ${state} ${lasting(since, now)}`, { first: "  " }),
    wrapText(`${text(selects)} in ${text(folder)}`, { first: "    ", indent: "    " }),
    wrapText(
      `${counted(objects, "object")}, ${counted(files, "file")}, ${size(bytes)}${
        changedAt === undefined ? "" : `; last change ${relativeTime(changedAt, now)}`
      }`,
      { first: "    ", indent: "    " },
    ),
  ];
  if (notification !== undefined) {
    const { kind, to, pending, pendingSince, nextAt } = notification;
    const waits = pending
      ? `pending${pendingSince === undefined ? "" : ` ${lasting(pendingSince, now)}`}`
      : "nothing pending";
    const next = nextAt === undefined ? "" : `, next try ${relativeTime(nextAt, now)}`;
    lines.push(wrapText(`${kind} ${text(to)}: ${waits}${next}`, { first: "    ", indent: "    " }));
  }
  return lines.join("\n");
}

function sourceOf(it: SourceStatus, { now, collections }: Status): string {
  const { source, labelSelector, state, contactAt, nextListAt, restarts, relists, error } = it;
  const labels = labelSelector === undefined ? "" : ` with labels ${text(labelSelector)}`;
  const serves = collections.length > 1 ? ` for ${text(it.collections.join(", "))}` : "";
  const contact = contactAt === undefined ? "never heard of" : `last contact ${relativeTime(contactAt, now)}`;
  const again = [
    ...(nextListAt === undefined ? [] : [`next list ${relativeTime(nextListAt, now)}`]),
    ...(restarts > 0 ? [counted(restarts, "restart")] : []),
    ...(relists > 0 ? [counted(relists, "relist")] : []),
    ...(error === undefined ? [] : [`${state === "failing" ? "error" : "last error"}: ${text(error)}`]),
  ];
  return wrapText([`${text(source)}${labels}${serves}: ${state}`, contact, ...again].join(", "), { first: "  " });
}

function notificationOf(it: NotificationStatus, { now, collections }: Status): string {
  const { at, collection, to, result, detail, seconds, files } = it;
  const of = collections.length > 1 ? `${text(collection)}, ` : "";
  const line = `${relativeTime(at, now)}: ${of}${text(to)} ${result === "failed" ? "failed: " : ""}${text(detail)}`;
  return wrapText(`${line} (${duration(seconds)}, ${counted(files, "file")})`, { first: "  " });
}

/** Names come from the cluster. */
function text(value: string): string {
  return escaped(String(value));
}
