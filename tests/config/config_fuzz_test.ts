import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { pick, seeded } from "../support/random.ts";

const SEED = 20240607;
const ENVIRONMENTS = 4000;

const TEXTS = [
  ...["", " ", "true", "FALSE", "0", "1", "-1", "600", "0.5", "1e400", "9".repeat(400), "NaN", "64Mi", "08"],
  ...["a", "a,b", ",", "a in (b,c)", "a in (", "!a", "a=b=c", "(((", "a/b/c", "/", "/a", "//", "../..", "\0", "\n\r\t"],
  ...["http://a", "http://[", "https://u:p@h:0/?q#f", "%", "%zz", "ü€😀", "\ud800", "__proto__", "constructor"],
  ...["tcp://10.96.12.34:80", "udp://[fd00::1]:53", "sctp://", "tcp://a", "0o640", "1e2", "+5", "1_0", "inf", "ALL,x"],
  ...["kiwigrid", "ALL", "none", "WATCH", "list", "configmap/a", "ns/secret/b", "JSON", "utf-8", "x".repeat(10_000)],
];

Deno.test(`parseConfig() never throws, and explains itself, whatever is in the environment (seed ${SEED})`, () => {
  const random = seeded(SEED);
  const names = [...Object.keys(SETTINGS), "HEALTHCHECK_PORT", "PATH", "LABLE", "REQ_PASSWORDS"];
  let faultless = 0;
  for (let run = 0; run < ENVIRONMENTS; run++) {
    const env: Record<string, string> = run % 2 === 0 ? {} : { LABEL: "a", FOLDER: "/f" };
    for (let count = Math.floor(random() * 8); count > 0; count--) {
      const garbage = String.fromCharCode(...Array.from({ length: 6 }, () => Math.floor(random() * 0x250)));
      env[pick(random, names)] = random() < 0.8 ? pick(random, TEXTS) : garbage;
    }
    if (random() < 0.3) env.DEFAULTS = "kiwigrid";
    const { config, faults } = parseConfig(env);
    const shown = JSON.stringify(env).slice(0, 1000);
    assert.ok(Object.isFrozen(config), shown);
    assert.ok(config.collections.length === 1 || env.CONFIG_FILE !== undefined, shown);
    if (faults.length === 0) faultless++;
    for (const { setting, message } of faults) {
      assert.ok(names.includes(setting), shown);
      assert.match(message, new RegExp(`^${setting}(=| \\(value not shown\\): | is required: )`), shown);
    }
    for (const warning of config.warnings) {
      assert.match(warning, /^[A-Z0-9_]+(=| is | has |: | \(value not shown\): )/, shown);
      assert.ok(warning.length < 1000, shown);
    }
    assert.equal(new Set(config.warnings).size, config.warnings.length, shown);
    assert.equal(new Set(faults.map(({ setting }) => setting)).size, faults.length, shown);
  }
  assert.ok(faultless > ENVIRONMENTS / 50, `only ${faultless} environments were without fault`);
});
