/** The page of a real sidecar, in a real browser. */
import assert from "node:assert/strict";
import { browserTest, openBrowser } from "../support/browser.ts";
import { tempFolder } from "../support/disk.ts";
import { serve } from "../support/local_servers.ts";
import { eventually } from "../support/oracle.ts";
import { SidecarProcess } from "../support/sidecar_process.ts";

const SECRET = "never-on-the-page";
const HOSTILE_FOLDER = `<script>alert(1)</script> "'\u202e`;

interface Metadata {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Two collections over a folder of manifests: one with 1,200 files, one whose webhook refuses. */
async function running() {
  const folder = tempFolder();
  const webhook = serve(() => new Response("wrong password", { status: 401 }));
  const manifests = `${folder.path}/manifests`;
  Deno.mkdirSync(manifests);
  const write = (kind: string, name: string, content: Record<string, unknown>, { labels, annotations }: Metadata) =>
    Deno.writeTextFileSync(
      `${manifests}/${name}.json`,
      JSON.stringify({
        apiVersion: "v1",
        kind,
        metadata: { name, namespace: "default", labels, annotations },
        ...content,
      }),
    );
  for (let i = 0; i < 12; i++) {
    const data = Object.fromEntries(Array.from({ length: 100 }, (_, j) => [`board-${i}-${j}.json`, `{"n":${j}}`]));
    write("ConfigMap", `boards-${i}`, { data }, { labels: { dashboard: "1" } });
  }
  write("ConfigMap", "late", { data: { "board-0-0.json": "{}" } }, { labels: { dashboard: "1" } });
  write("ConfigMap", "hostile", { data: { "a.json": "{}" } }, {
    labels: { dashboard: "1" },
    annotations: { "k8s-sidecar-target-directory": HOSTILE_FOLDER },
  });
  write("Secret", "source", { stringData: { "source.yaml": SECRET } }, { labels: { datasource: "" } });
  const config = {
    version: 1,
    collections: [
      { name: "dashboards", label: "dashboard", folder: `${folder.path}/dashboards` },
      {
        name: "datasources",
        label: "datasource",
        resource: "both",
        folder: `${folder.path}/datasources`,
        fileMode: "0600",
        notify: {
          webhook: {
            url: `http://127.0.0.1:${webhook.port}/reload?key=${SECRET}`,
            method: "POST",
            basicAuth: { username: "admin", password: { env: "PASSWORD" } },
          },
        },
      },
    ],
  };
  const configFile = `${folder.path}/config.json`;
  Deno.writeTextFileSync(configFile, JSON.stringify(config));
  const env = { CONFIG_FILE: configFile, PASSWORD: SECRET, HEALTH_HOST: "127.0.0.1" };
  const sidecar = SidecarProcess.start(env, { args: ["--manifests", manifests] });
  const browser = await openBrowser();
  return {
    sidecar,
    browser,
    url: `http://127.0.0.1:${sidecar.healthPort}`,
    addBoard: (name: string) =>
      write("ConfigMap", name, { data: { [`${name}.json`]: "{}" } }, { labels: { dashboard: "1" } }),
    async [Symbol.asyncDispose]() {
      await browser[Symbol.asyncDispose]();
      await sidecar[Symbol.asyncDispose]();
      await webhook[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

browserTest("The page of a sidecar with 1,202 files filters, turns pages, and follows", async () => {
  await using here = await running();
  await here.sidecar.ready();
  await eventually(async () => {
    assert.equal((await here.sidecar.health("/readyz")).status, 200);
    const { problems, notifications } = JSON.parse((await here.sidecar.health("/status")).text);
    assert.ok(notifications.length > 0);
    assert.ok(problems.some(({ collection }: { collection: string }) => collection === "datasources"));
  });
  await using shown = await here.browser.page();
  const { page } = shown;
  await page.goto(`${here.url}/`);
  assert.match(await page.title(), /^\d+ problems? · .*k8s-sidecar$/);
  const problems = page.locator("#problems");
  assert.match(await problems.textContent() ?? "", /401/);
  assert.equal(await page.locator("#files tbody tr").count(), 500);
  assert.equal(await page.locator("#collections tbody tr").count(), 2);
  assert.match(await page.locator("#lost").textContent() ?? "", /board-0-0\.json/);
  assert.match(await page.locator("#notifications").textContent() ?? "", /\/reload.*failed/);

  await page.fill("input[name=q]", "board-11-99");
  await page.click("form button");
  assert.match(await page.locator("#files tbody tr").textContent() ?? "", /board-11-99\.json.*boards-11/);

  await page.fill("input[name=q]", HOSTILE_FOLDER);
  await page.click("form button");
  const row = await page.locator("#files tbody tr").textContent() ?? "";
  assert.ok(row.includes(`<script>alert(1)</script> "'\\u202e/a.json`), row);

  await page.goto(`${here.url}/?q=brand-new&live`);
  assert.equal(await page.locator("#files tbody tr").count(), 0);
  here.addBoard("brand-new");
  await page.locator("#files tbody tr").waitFor({ timeout: 30_000 });
  assert.deepEqual(shown.complaints, []);
});

browserTest("The page of a sidecar has no value of a Secret, no password and no query of a URL", async () => {
  await using here = await running();
  await here.sidecar.ready();
  await here.sidecar.logged("401");
  for (const query of ["", "?page=2", "?page=3", "?q=datasources"]) {
    const response = await fetch(`${here.url}/${query}`);
    const text = await response.text();
    assert.equal(response.status, 200);
    assert.ok(text.includes("/reload"), "the webhook is on the page");
    for (const secret of [SECRET, btoa(SECRET), btoa(`admin:${SECRET}`), "wrong password"]) {
      assert.ok(!text.includes(secret), `${secret} on ${query}`);
    }
  }
});
