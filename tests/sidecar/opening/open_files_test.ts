import assert from "node:assert/strict";
import { parseConfig } from "../../../lib/config/config.ts";
import { allowedFoldersOf, configFilesOf, filesNamedBy } from "../../../lib/sidecar/opening/open_files.ts";
import { diskAt, diskTest, tempFolder } from "../../support/disk.ts";

function allowed(env: Record<string, string>): string[] {
  const [collection] = parseConfig({ LABEL: "app", ...env }).config.collections;
  return allowedFoldersOf(collection!);
}

diskTest("mounts", "allowedFoldersOf() adds the volume with DEFAULTS=kiwigrid, and without ALLOWED_FOLDERS", () => {
  using temp = tempFolder();
  const volume = `${temp.path}/volume`;
  using _ = diskAt(volume, 65_536);
  const FOLDER = `${volume}/files/not/there`;
  assert.deepEqual(allowed({ FOLDER, DEFAULTS: "kiwigrid" }), [volume]);
  assert.deepEqual(allowed({ FOLDER }), []);
  assert.deepEqual(allowed({ FOLDER, DEFAULTS: "kiwigrid", ALLOWED_FOLDERS: "/srv/../srv/x" }), ["/srv/x"]);
  assert.deepEqual(allowed({ FOLDER: volume, DEFAULTS: "kiwigrid" }), []);
});

Deno.test("allowedFoldersOf() adds the names without symlinks", () => {
  using temp = tempFolder();
  for (const name of ["files", "extra"]) {
    Deno.mkdirSync(`${temp.path}/${name}`);
    Deno.symlinkSync(name, `${temp.path}/${name}-link`);
  }
  const [FOLDER, ALLOWED_FOLDERS] = [`${temp.path}/files-link`, `${temp.path}/extra-link`];
  assert.deepEqual(allowed({ FOLDER, ALLOWED_FOLDERS }), [ALLOWED_FOLDERS, `${temp.path}/files`, `${temp.path}/extra`]);
  assert.deepEqual(allowed({ FOLDER: `${temp.path}/files` }), []);
});

async function configFiles(env: Record<string, string>): Promise<string[]> {
  const all = { LABEL: "a", FOLDER: "/data", ...env };
  const { config } = parseConfig(all);
  const files = [...await configFilesOf(config, all), ...config.collections.flatMap(filesNamedBy)];
  return files.map(({ path }) => path).filter((path) => !path.includes("serviceaccount")).sort();
}

Deno.test("configFilesOf() and filesNamedBy() name every file that the configuration does", async () => {
  const paths = await configFiles({
    ...{ SCRIPT: "/bin/reload", STATE_FILE: "/state", NETRC: "/netrc", KUBECONFIG: "/kube", CONFIG_FILE: "/config" },
    ...{ REQ_USERNAME_FILE: "/user", REQ_PASSWORD_FILE: "/password", REQ_TOKEN_FILE: "/token", REQ_CA_FILE: "/ca" },
  });
  const expected = ["/bin/reload", "/state", "/netrc", "/kube", "/config", "/user", "/password", "/token", "/ca"];
  assert.deepEqual(paths, expected.sort());
});

Deno.test("configFilesOf() names the log files of LOG_CONFIG and their backups", async () => {
  using temp = tempFolder();
  const LOG_CONFIG = `${temp.path}/log.yaml`;
  const handler = { class: "logging.handlers.RotatingFileHandler", filename: "/logs/a.log", backupCount: 2 };
  const document = { version: 1, handlers: { a: handler }, root: { handlers: ["a"] } };
  Deno.writeTextFileSync(LOG_CONFIG, JSON.stringify(document));
  assert.deepEqual(await configFiles({ LOG_CONFIG }), ["/logs/a.log", "/logs/a.log.1", "/logs/a.log.2", LOG_CONFIG]);
  Deno.writeTextFileSync(LOG_CONFIG, "no config");
  assert.deepEqual(await configFiles({ LOG_CONFIG }), [LOG_CONFIG]);
});

Deno.test("configFilesOf() names the files that kubeconfigs name", async () => {
  using temp = tempFolder();
  const [first, second] = [`${temp.path}/first`, `${temp.path}/second`];
  const user = (fields: unknown) => ({
    users: [{ name: "a", user: fields }, { name: "b" }, { name: "c", user: null }],
  });
  Deno.writeTextFileSync(
    first,
    JSON.stringify({
      clusters: [{ name: "a", cluster: { "certificate-authority": "/abs/ca.crt" } }, { name: "b" }],
      ...user({ "client-certificate": "certs/a.crt", "client-key": "certs/a.key", exec: { command: "bin/login" } }),
    }),
  );
  Deno.writeTextFileSync(second, JSON.stringify(user({ tokenFile: "token", exec: { command: "on-the-path" } })));
  const named = [
    ...["certs/a.crt", "certs/a.key", "bin/login", "first", "second", "token"].map((name) => `${temp.path}/${name}`),
    "/abs/ca.crt",
  ].sort();
  const missing = `${temp.path}/missing`;
  const paths = await configFiles({ KUBECONFIG: `${first}:${missing}:~/second`, HOME: temp.path });
  assert.deepEqual(paths, [...named, missing].sort());
  Deno.mkdirSync(`${temp.path}/.kube`);
  Deno.renameSync(second, `${temp.path}/.kube/config`);
  const home = [`${temp.path}/.kube/config`, `${temp.path}/.kube/token`];
  assert.deepEqual(await configFiles({ HOME: temp.path }), home);
  for (const garbage of ["", "- 1", "users: 1", "{", "users: [1, null]"]) {
    Deno.writeTextFileSync(first, garbage);
    assert.deepEqual(await configFiles({ KUBECONFIG: first }), [first], garbage);
  }
});
