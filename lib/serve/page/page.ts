/** The page at `/`: the status for people, as HTML that needs no script. */
import { count, counted, duration } from "../../runtime/quantities.ts";
import type { Status } from "../status.ts";
import { Html, markup, shortened } from "./markup.ts";
import { linkTo, type PageQuery, readQuery } from "./query.ts";
import { type Section, sectionsOf } from "./sections.ts";
import { pageHeaders, STYLE } from "./style.ts";
import { absoluteTime, relativeTime, time } from "./times.ts";

export { pageHeaders };

/** Seconds between refreshes with `?live`. */
const REFRESH_SECONDS = 5;

/** The document, in pieces. */
export function* statusPage(status: Status, parameters: URLSearchParams): Generator<string> {
  const query = readQuery(parameters);
  const sections = sectionsOf(status, query);
  yield head(status, query).text;
  yield header(status, query).text;
  yield bar(sections, query).text;
  yield "<main>\n";
  for (const section of sections) yield sectionOf(section).text;
  yield "</main>\n";
  yield footer(status).text;
}

function head({ problems, hostname }: Status, { live }: PageQuery): Html {
  const state = problems.length === 0 ? "No problems" : counted(problems.length, "problem");
  const refresh = markup`<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${live && refresh}<title>${state} · ${hostname !== "" && `${shortened(hostname)} · `}k8s-sidecar</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
`;
}

function header(status: Status, query: PageQuery): Html {
  const { hostname, now, startedAt, method, origin, notReady, notLive, configFile } = status;
  const uptime = duration(Math.max(1, Math.floor((Date.parse(now) - Date.parse(startedAt)) / 1000)));
  const refresh = query.live ? `Stop refreshing every ${REFRESH_SECONDS} s` : `Refresh every ${REFRESH_SECONDS} s`;
  return markup`<header>
<div class="top"><h1>k8s-sidecar</h1> ${check("ready", notReady)} ${check("live", notLive)}
<nav aria-label="This page"><a href="${linkTo({ ...query, live: !query.live })}">${refresh}</a>
<a href="status">JSON</a> <a href="metrics">Metrics</a></nav></div>
${reason("Not ready", notReady)}${reason("Not live", notLive)}${
    reason("CONFIG_FILE", configFile?.fault)
  }<ul class="facts">
${
    hostname !== "" && markup`<li>${shortened(hostname)}</li>
`
  }<li>up ${time(startedAt, uptime)}</li>
<li>${method} from ${shortened(origin)}</li>
${
    configFile &&
    markup`<li>CONFIG_FILE ${shortened(configFile.path)}, read ${relativeTime(configFile.loadedAt, now)}</li>
`
  }<li>as of ${absoluteTime(now)}</li>
</ul>
</header>
`;
}

function check(name: string, reason: string | undefined): Html {
  const [state, words] = reason === undefined ? ["ok", name] : ["bad", `not ${name}`];
  return markup`<span class="state ${state}">${words}</span>`;
}

function reason(name: string, text: string | undefined): Html | false {
  return text !== undefined && markup`<p class="why"><b class="bad">${name}:</b> ${shortened(text)}</p>
`;
}

/** The filter, and links to the sections. */
function bar(sections: readonly Section[], query: PageQuery): Html {
  const links = sections.map(({ id, title, total }) => markup`<a href="#${id}">${title} <b>${count(total)}</b></a> `);
  const all = linkTo({ ...query, filter: "", page: 1 });
  return markup`<div class="bar">
<form role="search"><input type="search" name="q" value="${query.filter}" maxlength="200" autocomplete="off"
 placeholder="path, object or collection" aria-label="Filter by path, object or collection">
${query.live && markup`<input type="hidden" name="live">`}<button>Filter</button>${
    query.filter !== "" && markup` <a href="${all}">Show all</a>`
  }</form>
<nav aria-label="Sections">${links}</nav>
</div>
`;
}

function sectionOf({ id, title, total, shown, content }: Section): Html {
  const number = shown === total ? count(total) : `${count(shown)} of ${count(total)}`;
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title} <small>${number}</small></h2>
${content ?? markup`<p class="dim">${total === 0 ? "None" : "None matches the filter"}</p>`}
</section>
`;
}

function footer({ build: { version, revision, deno }, instance }: Status): Html {
  return markup`<footer>k8s-sidecar ${version} ${revision} · Deno ${deno} · instance ${shortened(instance)}</footer>
</body>
</html>
`;
}
