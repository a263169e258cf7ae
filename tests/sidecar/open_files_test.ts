import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { allowedFoldersOf, configFilesOf } from "../../lib/sidecar/open_files.ts";
import { diskAt, diskTest, tempFolder } from "../support/disk.ts";

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

Deno.test("configFilesOf() names every file that the configuration does", () => {
  const { config } = parseConfig({
    ...{
      LABEL: "a",
      FOLDER: "/data",
      SCRIPT: "/bin/reload",
      STATE_FILE: "/state",
      NETRC: "/netrc",
      KUBECONFIG: "/kube",
      CONFIG_FILE: "/config",
    },
    ...{ REQ_USERNAME_FILE: "/user", REQ_PASSWORD_FILE: "/password", REQ_TOKEN_FILE: "/token", REQ_CA_FILE: "/ca" },
  });
  const [collection] = config.collections;
  const requests = { ...collection!.requests, headerFiles: { "X-A": "/header" } };
  const withHeader = { ...config, collections: [{ ...collection!, requests }] };
  const paths = configFilesOf(withHeader).map(({ path }) => path).filter((path) => !path.includes("serviceaccount"));
  const expected = [
    "/bin/reload",
    "/state",
    "/netrc",
    "/kube",
    "/config",
    "/user",
    "/password",
    "/token",
    "/header",
    "/ca",
  ];
  assert.deepEqual(paths.sort(), expected.sort());
});
