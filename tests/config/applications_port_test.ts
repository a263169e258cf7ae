import assert from "node:assert/strict";
import { isApplicationsPort } from "../../lib/config/applications_port.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { loadConfig } from "../../lib/config/load_config.ts";
import { tempFolder } from "../support/disk.ts";

const SELECTION = { LABEL: "app", FOLDER: "/files" };

const warningsOf = (env: Record<string, string>) =>
  parseConfig({ ...SELECTION, ...env }).config.warnings.filter((warning) => warning.startsWith("HEALTH_PORT"));

for (
  const [url, port] of Object.entries({
    "http://localhost:8080/reload": 8080,
    "http://127.0.0.5:9000/": 9000,
    "http://[::1]:9000/": 9000,
    "http://LOCALHOST/reload": 80,
    "https://localhost/reload": 443,
  })
) {
  Deno.test(`HEALTH_PORT=${port} is left to the application of REQ_URL=${url}, with one warning`, () => {
    const env = { REQ_URL: url, HEALTH_PORT: String(port) };
    assert.equal(isApplicationsPort(parseConfig({ ...SELECTION, ...env }).config), true);
    const [warning, ...others] = warningsOf(env);
    assert.match(warning ?? "", new RegExp(`^HEALTH_PORT=${port} is the port of the application`));
    assert.deepEqual(others, []);
  });
}

Deno.test("HEALTH_PORT is the sidecar's own where REQ_URL has another port or host, and with LIVENESS=false or METHOD=LIST", () => {
  const REQ_URL = "http://localhost:8080/reload";
  for (
    const env of [
      { REQ_URL, HEALTH_PORT: "8081" },
      { REQ_URL: "http://jenkins:8080/reload" },
      { REQ_URL, LIVENESS: "false" },
      { REQ_URL, METHOD: "LIST" },
      {},
    ] as Record<string, string>[]
  ) {
    assert.equal(isApplicationsPort(parseConfig({ ...SELECTION, ...env }).config), false, JSON.stringify(env));
    assert.deepEqual(warningsOf(env), []);
  }
});

Deno.test("HEALTH_PORT is left to the application of a collection of CONFIG_FILE, too", async () => {
  using folder = tempFolder();
  const CONFIG_FILE = `${folder.path}/config.yaml`;
  const text = `version: 1
collections:
  - { name: one, label: app, folder: ${folder.path}/one, notify: { webhook: { url: "http://localhost:8080/reload" } } }
`;
  Deno.writeTextFileSync(CONFIG_FILE, text);
  const { config, faults } = await loadConfig({ CONFIG_FILE }, {});
  assert.deepEqual(faults, []);
  assert.equal(isApplicationsPort(config), true);
  assert.equal(config.warnings.length, 1);
});
