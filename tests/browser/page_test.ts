/** The page in a real browser: from fixtures, at the width of a phone and of a desk, light and dark. */
import assert from "node:assert/strict";
import { statusPage } from "../../lib/serve/page/page.ts";
import { pageHeaders } from "../../lib/serve/page/style.ts";
import type { Status } from "../../lib/serve/status.ts";
import { browserTest, openBrowser, type OpenPage, type View } from "../support/browser.ts";
import { HOSTILE, hostileStatus, largeStatus, ordinaryStatus, quietStatus } from "../support/status_fixtures.ts";
import { serve } from "../support/local_servers.ts";
import { lowContrast, smallTargets, wideElements } from "../support/page_checks.js";

const VIEWS: readonly View[] = [
  { width: 1280, theme: "light" },
  { width: 1280, theme: "dark" },
  { width: 360, theme: "light" },
  { width: 360, theme: "dark" },
];

/** Shows the page of a status, which `state.status` may replace. */
async function showing(status: Status, query = "", view?: View) {
  const state = { status };
  const headers = { ...await pageHeaders(), "content-type": "text/html; charset=utf-8" };
  const server = serve((request) =>
    new Response([...statusPage(state.status, new URL(request.url).searchParams)].join(""), { headers })
  );
  const browser = await openBrowser();
  const opened = await browser.page(view);
  await opened.page.goto(`http://127.0.0.1:${server.port}/${query}`);
  return {
    ...opened,
    state,
    rows: (id: string) => opened.page.locator(`#${id} tbody tr`),
    path: () => opened.page.url().replace(`http://127.0.0.1:${server.port}`, ""),
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await browser[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** One request for the page, and nothing that the browser complains of. */
function assertQuiet({ complaints, requests }: OpenPage, pages = 1): void {
  assert.deepEqual(complaints, []);
  assert.equal(requests.length, pages, requests.join(", "));
}

for (const view of VIEWS) {
  const name = `${view.width} px, ${view.theme}`;

  browserTest(`The page fits, can be read and touched: ${name}`, async () => {
    await using shown = await showing(ordinaryStatus(), "?q=da", view);
    assert.deepEqual(await shown.page.evaluate(wideElements), []);
    assert.deepEqual(await shown.page.evaluate(lowContrast), []);
    assert.deepEqual(await shown.page.evaluate(smallTargets, view.width === 360 ? 40 : 24), []);
    assertQuiet(shown);
  });

  browserTest(`The page shows hostile names as they are: ${name}`, async () => {
    await using shown = await showing(hostileStatus(), "", view);
    assert.deepEqual(await shown.page.evaluate(wideElements), []);
    assert.equal(await shown.page.locator("script, [onmouseover], [autofocus], b[title]").count(), 0);
    const objects = await shown.page.locator("#lost tbody td:nth-child(2)").allTextContents();
    assert.deepEqual(objects.slice(0, 6), [
      HOSTILE.script,
      HOSTILE.quotes,
      "gnp.\\u202e\\u2066exe",
      "a\\u0000b",
      "one\\u000atwo\\u000d\\u000a\\u2028three",
      HOSTILE.entity,
    ]);
    assertQuiet(shown);
  });
}

browserTest("The page's filter is a plain form that keeps live", async () => {
  await using shown = await showing(largeStatus(1000), "?page=2&live");
  await shown.page.fill("input[name=q]", "TEAM-3 boards-001");
  await shown.page.click("form button");
  assert.equal(shown.path(), "/?q=TEAM-3+boards-001&live=");
  assert.equal(await shown.page.inputValue("input[name=q]"), "TEAM-3 boards-001");
  assert.deepEqual(await shown.rows("files").locator("th").allTextContents(), [
    "/tmp/dashboards/team-3/dashboard-0010.json",
    "/tmp/dashboards/team-3/dashboard-0017.json",
  ]);
  await shown.page.click("text=Show all");
  assert.equal(shown.path(), "/?live");
  assertQuiet(shown, 3);
});

browserTest("The page's filter takes hostile names", async () => {
  await using shown = await showing(hostileStatus());
  for (const name of [HOSTILE.script, HOSTILE.quotes, HOSTILE.direction, HOSTILE.rightToLeft]) {
    await shown.page.fill("input[name=q]", name);
    await shown.page.press("input[name=q]", "Enter");
    assert.equal(await shown.rows("lost").count(), 1, name);
  }
  assertQuiet(shown, 5);
});

browserTest("The page has 500 of a thousand files, and links to the others", async () => {
  await using shown = await showing(largeStatus(1234));
  assert.equal(await shown.rows("files").count(), 500);
  await shown.page.locator(".pager >> text=Next").first().click();
  assert.equal(shown.path(), "/?page=2#files");
  assert.ok(await shown.page.locator("#files h2").isVisible());
  await shown.page.locator(".pager >> text=Last").first().click();
  assert.equal(await shown.rows("files").count(), 234);
  assert.equal(await shown.page.locator(".pager >> nth=0").locator("a").count(), 2);
  assertQuiet(shown, 3);
});

browserTest("The page refreshes itself with live only, and keeps filter and page", async () => {
  await using still = await showing(quietStatus());
  assert.equal(await still.page.locator("meta[http-equiv=refresh]").count(), 0);
  await using shown = await showing(largeStatus(1234), "?q=dashboard&page=2&live");
  assert.equal(await shown.page.title(), "3 problems · grafana-7c9f5d8b64-x2x9k · k8s-sidecar");
  shown.state.status = { ...largeStatus(1230), problems: [] };
  await shown.page.getByText("✓ No problems").waitFor({ timeout: 20_000 });
  assert.ok((await shown.page.title()).startsWith("No problems"));
  assert.equal(shown.path(), "/?q=dashboard&page=2&live");
  assert.ok((await shown.page.locator(".pager").first().textContent())?.includes("501 to 1,000 of 1,230"));
  assertQuiet(shown, 2);
  assert.equal(still.requests.length, 1);
});

browserTest("The page has landmarks, headings, and tables that a screen reader can walk", async () => {
  for (const width of [360, 1280] as const) {
    await using shown = await showing(ordinaryStatus(), "", { width, theme: "light" });
    const tree = await shown.page.locator("body").ariaSnapshot();
    for (
      const part of [
        '- heading "k8s-sidecar" [level=1]',
        '- region "Files 5"',
        '- heading "Problems 3" [level=2]',
        '- columnheader "Written"',
        "- rowheader",
        '- searchbox "Filter by path, object or collection"',
        '- cell "grafana/secret/loki"',
      ]
    ) assert.ok(tree.includes(part), `${part} is not in\n${tree}`);
  }
});

browserTest("The page can be read without its style", async () => {
  await using shown = await showing(ordinaryStatus());
  await shown.page.evaluate('document.querySelector("style").remove()');
  assert.ok(await shown.page.locator("#files thead").isVisible());
  const [problems = 0, files = 0] = await shown.page.locator("#problems, #files").evaluateAll((sections) =>
    sections.map((section) => section.getBoundingClientRect().top)
  );
  assert.ok(problems < files);
});
