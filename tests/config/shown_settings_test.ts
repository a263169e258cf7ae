import assert from "node:assert/strict";
import { type ShownSetting, shownSettings } from "../../lib/config/shown_settings.ts";
import { SETTINGS } from "../../lib/config/settings.ts";

function shown(env: Record<string, string>, flags = {}, hasCollection = true): Record<string, ShownSetting> {
  const settings = shownSettings(env, flags, { hasCollection }).flatMap(({ settings }) => settings);
  return Object.fromEntries(settings.map((setting) => [setting.name, setting]));
}

/** Without the name. */
function one(name: string, env: Record<string, string>, flags = {}) {
  const { name: _, ...setting } = shown({ [name]: "", ...env }, flags)[name]!;
  return setting;
}

Deno.test("shownSettings() has every setting of the table in its section", () => {
  assert.deepEqual(Object.keys(shown({})).sort(), Object.keys(SETTINGS).sort());
  const sections = shownSettings({}, {}, { hasCollection: true });
  for (const { section, settings } of sections) {
    for (const { name } of settings) assert.equal(SETTINGS[name as keyof typeof SETTINGS].section, section);
  }
});

Deno.test("shownSettings() leaves out the settings of a collection that the environment does not make", () => {
  const names = Object.keys(shown({ CONFIG_FILE: "/c" }, {}, false));
  assert.ok(names.includes("METHOD") && names.includes("CONFIG_FILE"));
  assert.deepEqual(names.filter((name) => ["LABEL", "FOLDER", "REQ_URL", "NAMESPACE"].includes(name)), []);
});

Deno.test("shownSettings() says where a value comes from", () => {
  const environment = (variable: string) => ({ from: "environment", variable });
  const kiwigrid = { DEFAULTS: "kiwigrid" };
  assert.deepEqual(one("METHOD", { METHOD: "list" }), {
    value: "LIST",
    text: "LIST",
    origin: environment("METHOD"),
  });
  assert.deepEqual(one("HEALTH_PORT", { HEALTHCHECK_PORT: "81" }), {
    value: 81,
    text: "81",
    origin: environment("HEALTHCHECK_PORT"),
  });
  assert.deepEqual(one("RESOURCE", {}), { value: "both", text: "both", origin: { from: "default" } });
  assert.deepEqual(one("RESOURCE", kiwigrid), { value: "configmap", text: "configmap", origin: { from: "kiwigrid" } });
  assert.deepEqual(one("NAMESPACE", kiwigrid), { value: "OWN", text: "the pod's own", origin: { from: "kiwigrid" } });
  assert.deepEqual(one("ALLOWED_FOLDERS", kiwigrid).text, "the volume of FOLDER");
  assert.deepEqual(one("ALLOWED_FOLDERS", { ...kiwigrid, ALLOWED_FOLDERS: "/a,/b" }).text, "/a, /b");
  assert.deepEqual(one("REQ_PASSWORD_FILE", { REQ_PASSWORD_FILE: "/env" }, { reqPasswordFile: "/flag" }), {
    value: "/flag",
    text: "/flag",
    origin: { from: "flag", flag: "--req-password-file" },
  });
  // A Service named "health" sets this
  assert.deepEqual(one("HEALTH_PORT", { HEALTH_PORT: "tcp://10.0.0.1:80" }).origin, { from: "default" });
  assert.deepEqual(one("DEFAULT_FILE_MODE", { DEFAULT_FILE_MODE: "0o600" }).value, "0600");
});

Deno.test("shownSettings() marks a value that is a fault, and the default of a value that kiwigrid tolerates", () => {
  assert.deepEqual(one("METHOD", { METHOD: "POLL" }), {
    value: "POLL",
    text: "POLL",
    origin: { from: "environment", variable: "METHOD" },
    isInvalid: true,
  });
  const tolerated = { DEFAULTS: "kiwigrid", METHOD: "POLL", REQ_RETRY_TOTAL: "+7" };
  assert.deepEqual([one("METHOD", tolerated).value, one("METHOD", tolerated).origin], ["WATCH", { from: "default" }]);
  assert.deepEqual(one("REQ_RETRY_TOTAL", tolerated).value, 7);
});

Deno.test("shownSettings() hides secrets, also where they are faults", () => {
  const secret = "hidden-value";
  const env = {
    REQ_PASSWORD: secret,
    REQ_PAYLOAD: secret,
    REQ_HEADERS: secret,
    REQ_URL: `http://user:${secret}@host/path?token=${secret}`,
  };
  assert.doesNotMatch(JSON.stringify(shown(env)), new RegExp(secret));
  assert.equal(one("REQ_URL", env).value, "http://***@host/path?token=***");
  assert.doesNotMatch(JSON.stringify(shown({ REQ_URL: `ftp://user:${secret}@host` })), new RegExp(secret));
});
