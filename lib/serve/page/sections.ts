/** The parts of the page below its header. */
import { count, duration, size } from "../../runtime/quantities.ts";
import type { CollectionStatus, FileStatus, NotificationStatus, Problem, SourceStatus, Status } from "../status.ts";
import { type Html, markup, path, shortened, type Value } from "./markup.ts";
import { linkTo, matcher, type PageQuery } from "./query.ts";
import { classOf, type Column, firstRows, more, pageOf, table, wholeness } from "./table.ts";
import { lasting, relativeTime } from "./times.ts";

/** Maximum rows of a section that has no pages. */
const MAX_ROWS = 500;

type Matches = ReturnType<typeof matcher>;

export interface Section {
  id: string;
  title: string;
  /** Rows in all. */
  total: number;
  /** Rows that the filter leaves. */
  shown: number;
  /** `undefined`: nothing to show. */
  content: Html | undefined;
}

interface SectionOptions<Row> {
  id: string;
  title: string;
  rows: readonly Row[];
  /** Instead of no rows at all. */
  none?: Html;
  /** What the filter looks at. */
  texts(row: Row): readonly (string | undefined)[];
  render(rows: readonly Row[]): Html;
}

export function sectionsOf(status: Status, query: PageQuery): Section[] {
  const matches = matcher(query.filter);
  const sections = [
    problems(status, matches),
    collections(status, query, matches),
    sources(status, matches),
    files(status, query, matches),
    lostPaths(status, matches),
    notifications(status, matches),
  ];
  return sections.filter(({ id, total }) => id !== "lost" || total > 0);
}

function section<Row>({ id, title, rows, none, texts, render }: SectionOptions<Row>, matches: Matches): Section {
  const matching = rows.filter((row) => matches(texts(row)));
  const content = matching.length > 0 ? render(matching) : rows.length === 0 ? none : undefined;
  return { id, title, total: rows.length, shown: matching.length, content };
}

function problems({ problems, now }: Status, matches: Matches): Section {
  return section({
    id: "problems",
    title: "Problems",
    rows: problems,
    none: markup`<p class="ok">✓ No problems</p>`,
    texts: ({ path, object, key, collection, what }) => [path, object, key, collection, what],
    render: (rows) =>
      markup`<ul class="problems">
${rows.slice(0, MAX_ROWS).map((problem) => problemItem(problem, now))}</ul>
${rows.length > MAX_ROWS && more(rows.length - MAX_ROWS)}`,
  }, matches);
}

function problemItem({ severity, collection, object, key, path, what, cure, since }: Problem, now: string): Html {
  const where = Object.entries({ collection, object, key, path }).map(([name, value]) =>
    value !== undefined && markup`<span>${name} <code>${shortened(value)}</code></span> `
  );
  return markup`<li class="${severity}">
<h3><span class="severity">${severity === "error" ? "Error" : "Warning"}</span> ${shortened(what)}</h3>
<p>${shortened(cure)}</p>
<p class="where">${where}${since !== undefined && markup`<span>${lasting(since, now)}</span>`}</p>
</li>
`;
}

function collections({ collections, now }: Status, query: PageQuery, matches: Matches): Section {
  const columns: Column<CollectionStatus>[] = [
    { name: "Name", cell: ({ name }) => filterLink(name, query) },
    { name: "State", cell: ({ state, since }) => stateWord(state, lasting(since, now)) },
    { name: "Selects", cell: ({ selects }) => selects },
    { name: "Folder", kind: "code", cell: ({ folder }) => path(folder) },
    { name: "Objects", kind: "number", cell: ({ objects }) => count(objects) },
    { name: "Files", kind: "number", cell: ({ files }) => count(files) },
    { name: "Size", kind: "number", cell: ({ bytes }) => size(bytes) },
    { name: "Changed", kind: "number", cell: ({ changedAt }) => changedAt && relativeTime(changedAt, now) },
    { name: "Notifies", cell: ({ notification }) => notification && notified(notification, now) },
  ];
  return section({
    id: "collections",
    title: "Collections",
    rows: worstFirst(collections),
    texts: ({ name, selects, folder }) => [name, selects, folder],
    render: (rows) => firstRows(columns, rows, MAX_ROWS),
  }, matches);
}

function filterLink(text: string, query: PageQuery): Html {
  const url = linkTo({ ...query, filter: text, page: 1 });
  return markup`<a${classOf(wholeness(text))} href="${url}">${shortened(text)}</a>`;
}

function notified(notification: NonNullable<CollectionStatus["notification"]>, now: string): Html {
  const { kind, to, pending, pendingSince, nextAt } = notification;
  const since = pendingSince !== undefined && lasting(pendingSince, now);
  const next = nextAt !== undefined && markup`, next attempt ${relativeTime(nextAt, now)}`;
  const state = pending ? markup`<span class="warn">pending ${since}</span>${next}` : "nothing pending";
  return markup`${shortened(kind)} <code>${path(to)}</code> <small>${state}</small>`;
}

function sources({ sources, collections, now }: Status, matches: Matches): Section {
  const columns: Column<SourceStatus>[] = [
    {
      name: "Source",
      cell: ({ source, labelSelector }) =>
        markup`${shortened(source)}${labelSelector !== undefined && markup` <code>${shortened(labelSelector)}</code>`}`,
    },
    { name: "State", cell: ({ state }) => stateWord(state) },
    { name: "Collections", cell: (source) => source.collections.join(", ") },
    { name: "Last contact", kind: "number", cell: ({ contactAt }) => contactAt && relativeTime(contactAt, now) },
    { name: "Synced", kind: "number", cell: ({ syncedAt }) => syncedAt && relativeTime(syncedAt, now) },
    { name: "Restarts", kind: "number", cell: ({ restarts }) => count(restarts) },
    { name: "Relists", kind: "number", cell: ({ relists }) => count(relists) },
    { name: "Last error", cell: ({ error }) => error },
  ];
  return section({
    id: "sources",
    title: "Sources",
    rows: worstFirst(sources),
    texts: ({ source, labelSelector, collections }) => [source, labelSelector, ...collections],
    render: (rows) => firstRows(columnsFor(collections, columns), rows, MAX_ROWS),
  }, matches);
}

function files({ files, collections, now }: Status, query: PageQuery, matches: Matches): Section {
  const columns: Column<FileStatus>[] = [
    { name: "Path", kind: "code", cell: ({ path }) => dimmed(path) },
    { name: "Object", cell: ({ object }) => object },
    { name: "Collection", cell: ({ collection }) => collection },
    { name: "Size", kind: "number", cell: (file) => size(file.size) },
    { name: "SHA-256", kind: "code", cell: ({ hash }) => hash },
    { name: "Mode", kind: "number", cell: ({ mode }) => mode },
    { name: "Written", kind: "number", cell: ({ writtenAt }) => relativeTime(writtenAt, now) },
  ];
  return section({
    id: "files",
    title: "Files",
    rows: files,
    texts: ({ path, object, collection, losers = [] }) => [path, object, collection, ...losers],
    render: (rows) => pageOf(columnsFor(collections, columns), rows, query),
  }, matches);
}

function lostPaths({ files, collections }: Status, matches: Matches): Section {
  const columns: Column<FileStatus & { loser: string }>[] = [
    { name: "Path", kind: "code", cell: ({ path }) => dimmed(path) },
    { name: "Lost by", cell: ({ loser }) => loser },
    { name: "Belongs to", cell: ({ object }) => object },
    { name: "Collection", cell: ({ collection }) => collection },
  ];
  return section({
    id: "lost",
    title: "Lost paths",
    rows: files.flatMap((file) => (file.losers ?? []).map((loser) => ({ ...file, loser }))),
    texts: ({ path, object, loser, collection }) => [path, object, loser, collection],
    render: (rows) => firstRows(columnsFor(collections, columns), rows, MAX_ROWS),
  }, matches);
}

function notifications({ notifications, collections, now }: Status, matches: Matches): Section {
  const columns: Column<NotificationStatus>[] = [
    { name: "When", cell: ({ at }) => relativeTime(at, now) },
    { name: "Collection", cell: ({ collection }) => collection },
    { name: "To", cell: ({ kind, to }) => markup`${kind} <code>${path(to)}</code>` },
    { name: "Result", cell: ({ result, detail }) => stateWord(result, shortened(detail)) },
    { name: "Took", kind: "number", cell: ({ seconds }) => duration(seconds) },
    { name: "Files", kind: "number", cell: ({ files }) => count(files) },
  ];
  return section({
    id: "notifications",
    title: "Notifications",
    rows: notifications,
    texts: ({ collection, kind, to, result, detail }) => [collection, kind, to, result, detail],
    render: (rows) => table(columnsFor(collections, columns), rows),
  }, matches);
}

/** One collection need not be named in each row. */
function columnsFor<Row>(collections: readonly unknown[], columns: readonly Column<Row>[]): Column<Row>[] {
  return columns.filter(({ name }) => !name.startsWith("Collection") || collections.length > 1);
}

const STATE_CLASSES: Readonly<Record<string, string>> = {
  ready: "ok",
  watching: "ok",
  delivered: "ok",
  failing: "bad",
  failed: "bad",
};

function stateWord(state: string, more?: Value): Html {
  const word = markup`<span class="state ${STATE_CLASSES[state] ?? "warn"}">${state}</span>`;
  return more === undefined ? word : markup`${word} <small>${more}</small>`;
}

function worstFirst<Row extends { state: string }>(rows: readonly Row[]): Row[] {
  const rank = ({ state }: Row) => ["bad", undefined, "ok"].indexOf(STATE_CLASSES[state]);
  return rows.toSorted((a, b) => rank(a) - rank(b));
}

/** A path with its folder dimmed. */
function dimmed(text: string): Html {
  const name = text.lastIndexOf("/") + 1;
  return markup`<span class="dim">${path(text.slice(0, name))}</span>${shortened(text.slice(name))}`;
}
