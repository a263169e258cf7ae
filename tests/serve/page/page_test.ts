import assert from "node:assert/strict";
import { statusPage } from "../../../lib/serve/page/page.ts";
import { pageHeaders, STYLE } from "../../../lib/serve/page/style.ts";
import type { Status } from "../../../lib/serve/status.ts";
import { ago, file, hostileStatus, largeStatus, ordinaryStatus, quietStatus } from "../../support/status_fixtures.ts";

function pageOf(status: Status, query = ""): string {
  return [...statusPage(status, new URLSearchParams(query))].join("");
}

const titleOf = (page: string) => /<title>(.*?)<\/title>/.exec(page)?.[1];

/** The texts of a section, without tags. */
function sectionOf(page: string, id: string): string {
  const [, section = ""] = new RegExp(`<section id="${id}".*?>(.*?)</section>`, "s").exec(page) ?? [];
  return section.replace(/<wbr>/g, "").replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim();
}

/** The first cells of the rows of a section. */
function rowsOf(page: string, id: string): string[] {
  const [, section = ""] = new RegExp(`<section id="${id}".*?>(.*?)</section>`, "s").exec(page) ?? [];
  return [...section.matchAll(/<th scope="row".*?>(.*?)<\/th>/g)].map(([, cell = ""]) => cell.replace(/<[^>]+>/g, ""));
}

Deno.test("statusPage() says how many problems there are, in the title too", () => {
  assert.equal(titleOf(pageOf(ordinaryStatus())), "3 problems · grafana-7c9f5d8b64-x2x9k · k8s-sidecar");
  const quiet = pageOf(quietStatus());
  assert.equal(titleOf(quiet), "No problems · grafana-7c9f5d8b64-x2x9k · k8s-sidecar");
  assert.equal(titleOf(pageOf({ ...quietStatus(), hostname: "" })), "No problems · k8s-sidecar");
  assert.equal(sectionOf(quiet, "problems"), "Problems 0 ✓ No problems");
});

Deno.test("statusPage() has the problems first, each with its reason, cure and place", () => {
  const page = pageOf(ordinaryStatus());
  const sections = [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id);
  assert.deepEqual(sections, ["problems", "collections", "sources", "files", "lost", "notifications"]);
  const problems = sectionOf(page, "problems");
  assert.ok(problems.startsWith("Problems 3 Error the webhook has been refused: POST http"), problems);
  assert.ok(
    problems.endsWith(
      "collection dashboards object monitoring/configmap/team-a key cpu.json path /tmp/dashboards/team-a/cpu.json for 2 d",
    ),
    problems,
  );
});

Deno.test("statusPage() says why the sidecar is not ready or not live, and what is wrong with CONFIG_FILE", () => {
  const page = pageOf({
    ...quietStatus(),
    notReady: "not synced yet: secrets",
    notLive: "the watch of secrets hangs",
    configFile: { path: "/etc/c.yaml", loadedAt: ago(60), fault: "c.yaml:3:1: unknown key" },
  });
  const header = page.slice(page.indexOf("<header>"), page.indexOf("</header>")).replace(/<[^>]+>/g, "");
  for (const part of ["not ready", "Not ready: not synced yet: secrets", "Not live: the watch of secrets hangs"]) {
    assert.ok(header.includes(part), part);
  }
  assert.ok(header.includes("CONFIG_FILE: c.yaml:3:1: unknown key"));
});

Deno.test("statusPage() shows owner, size, hash, mode and time of files, and who lost a path to whom", () => {
  const page = pageOf(ordinaryStatus());
  const files = sectionOf(page, "files");
  assert.ok(
    files.includes(
      "/tmp/dashboards/team-a/ api.json monitoring/configmap/team-a dashboards 41.2 kB 9f2c81aa07d3b5e4 644 12 s ago",
    ),
    files,
  );
  const lost = "/tmp/dashboards/team-a/ cpu.json monitoring/configmap/team-a grafana/configmap/cpu dashboards";
  assert.ok(sectionOf(page, "lost").endsWith(lost), sectionOf(page, "lost"));
});

Deno.test("statusPage() has failing collections and sources first", () => {
  const status = ordinaryStatus();
  const page = pageOf({ ...status, collections: status.collections.toReversed() });
  assert.deepEqual(rowsOf(page, "collections"), ["dashboards", "datasources"]);
  assert.equal(rowsOf(page, "sources")[0], "secrets in all namespaces grafana_dashboard=1");
});

Deno.test("statusPage() names the collection in rows only where there are several", () => {
  const status = ordinaryStatus();
  const one = pageOf({ ...status, collections: status.collections.slice(0, 1) });
  assert.ok(!/<th scope="col">Collections?</.test(one));
});

Deno.test("statusPage() filters problems, files and objects by path, object and collection", () => {
  const page = pageOf(ordinaryStatus(), "q=team-a CPU");
  assert.ok(sectionOf(page, "problems").startsWith("Problems 1 of 3 Warning"));
  assert.deepEqual(rowsOf(page, "files"), ["/tmp/dashboards/team-a/cpu.json"]);
  assert.deepEqual(rowsOf(page, "lost"), ["/tmp/dashboards/team-a/cpu.json"]);
  assert.equal(sectionOf(page, "sources"), "Sources 0 of 4 None matches the filter");
  assert.equal(titleOf(page)?.slice(0, 10), "3 problems");
  const loser = pageOf(
    { ...quietStatus(), files: [file("/a", "x/configmap/y", { losers: ["n/configmap/late"] })] },
    "q=late",
  );
  assert.deepEqual(rowsOf(loser, "files"), ["/a"]);
});

Deno.test("statusPage() has pages of 500 files, and the last one for those beyond", () => {
  const status = largeStatus(1234);
  const first = pageOf(status);
  assert.equal(rowsOf(first, "files").length, 500);
  assert.ok(first.includes("1 to 500 of 1,234") && first.includes('href="?page=2#files"'));
  for (const query of ["page=3", "page=99"]) {
    const rows = rowsOf(pageOf(status, query), "files");
    assert.deepEqual([rows.length, rows[0]], [234, "/tmp/dashboards/team-6/dashboard-1000.json"]);
  }
  assert.ok(!pageOf(largeStatus(500)).includes('class="pager"'));
});

Deno.test("statusPage() keeps filter, page and live in its links", () => {
  const page = pageOf(largeStatus(1234), "q=dash&page=2&live");
  assert.ok(page.includes('<meta http-equiv="refresh" content="5">'));
  assert.ok(page.includes('href="?q=dash&amp;page=3&amp;live#files"'));
  assert.ok(page.includes('href="?q=dash&amp;page=2">Stop refreshing'));
  assert.ok(page.includes('<input type="hidden" name="live">') && page.includes('value="dash"'));
  const still = pageOf(largeStatus(1234));
  assert.ok(!still.includes("http-equiv") && !still.includes('name="live"'));
});

Deno.test("statusPage() bounds what has no pages", () => {
  const problem = { severity: "error" as const, what: "full", cure: "make room" };
  const page = pageOf({ ...quietStatus(), problems: Array.from({ length: 1700 }, () => problem) });
  assert.equal(page.match(/<li class="error">/g)?.length, 500);
  assert.ok(sectionOf(page, "problems").endsWith("and 1,200 more, in the JSON"));
});

Deno.test("statusPage() escapes hostile names everywhere", () => {
  const page = pageOf(hostileStatus(), `q=${encodeURIComponent('"><script>')}`) + pageOf(hostileStatus());
  assert.ok(!page.includes("<script"));
  assert.ok(!page.includes('" onmouseover'));
  assert.equal(page.match(/<\/style>/g)?.length, 2);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\0-\x09\x0b-\x1f\u202e\u2066\u2028]/.test(page));
  assert.ok(!page.includes("x".repeat(1001)));
});

Deno.test("pageHeaders() allow the style sheet of the page and nothing else", async () => {
  const headers = await pageHeaders();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE));
  assert.deepEqual(headers["content-security-policy"]?.split("; "), [
    "default-src 'none'",
    `style-src 'sha256-${new Uint8Array(digest).toBase64()}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]);
  assert.ok(pageOf(quietStatus()).includes(`<style>${STYLE}</style>`));
  assert.equal(headers["cache-control"], "no-store");
});
