/** Tables that become one block per row on a phone. */
import { escaped } from "../../runtime/escaped.ts";
import { count } from "../../runtime/quantities.ts";
import { type Html, markup, shortened, type Value } from "./markup.ts";
import { linkTo, PAGE_ROWS, type PageQuery } from "./query.ts";

export interface Column<Row> {
  name: string;
  kind?: "number" | "code";
  cell(row: Row): Value;
}

/** Maximum characters of a text that is never broken, so that names stay whole beside long paths. */
const MAX_UNBROKEN = 20;

/** The first column names the row. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  const head = columns.map(({ name, kind }) =>
    markup`<th scope="col"${classOf(kind === "number" ? kind : undefined)}>${name}</th>`
  );
  const body = rows.map((row) =>
    markup`<tr>${columns.map((column, i) => cellOf(column, row, i === 0))}</tr>
`
  );
  return markup`<table><thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody></table>
`;
}

function cellOf<Row>({ name, kind, cell }: Column<Row>, row: Row, isFirst: boolean): Html {
  const value = cell(row);
  // On a phone, a block without a value would only be a label
  if (value === undefined || value === "") return markup`<td class="none"></td>`;
  const text = typeof value === "string" ? shortened(value) : value;
  const attributes = classOf(kind, typeof value === "string" ? wholeness(value) : undefined);
  if (isFirst) return markup`<th scope="row"${attributes}>${text}</th>`;
  return markup`<td${attributes} data-h="${name}">${text}</td>`;
}

export function classOf(...names: (string | undefined)[]): Html | false {
  const given = names.filter((name) => name !== undefined);
  return given.length > 0 && markup` class="${given.join(" ")}"`;
}

/** The class of a text that is kept in one line because it is short. */
export function wholeness(text: string): "whole" | undefined {
  return escaped(text).length <= MAX_UNBROKEN ? "whole" : undefined;
}

/** The page of a table that the query asks for, or the last one. */
export function pageOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], query: PageQuery): Html {
  const last = Math.max(1, Math.ceil(rows.length / PAGE_ROWS));
  const page = Math.min(query.page, last);
  const links = last > 1 && pager({ ...query, page }, rows.length, last);
  return markup`${links}${table(columns, rows.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS))}${links}`;
}

function pager(query: PageQuery, rows: number, last: number): Html {
  const { page } = query;
  const to = (name: string, target: number): Html =>
    target >= 1 && target <= last && target !== page
      ? markup`<a href="${linkTo({ ...query, page: target })}#files">${name}</a> `
      : markup`<span class="dim">${name}</span> `;
  const range = `${count((page - 1) * PAGE_ROWS + 1)} to ${count(Math.min(page * PAGE_ROWS, rows))} of ${count(rows)}`;
  return markup`<nav class="pager" aria-label="Pages of files">${to("First", 1)}${
    to("Previous", page - 1)
  }<span>${range}</span>
${to("Next", page + 1)}${to("Last", last)}</nav>
`;
}

/** The first rows of a table that has no pages. */
export function firstRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[], limit: number): Html {
  return markup`${table(columns, rows.slice(0, limit))}${rows.length > limit && more(rows.length - limit)}`;
}

export function more(rest: number): Html {
  return markup`<p class="dim">and ${count(rest)} more, in the <a href="status">JSON</a></p>
`;
}
