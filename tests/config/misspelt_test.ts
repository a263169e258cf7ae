import assert from "node:assert/strict";
import type { Setting } from "../../lib/config/setting.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { isOneSlipAway, misspeltSettings } from "../../lib/config/misspelt.ts";
import { pick, seeded } from "../support/random.ts";

const NAMES = (Object.entries(SETTINGS) as [string, Setting<unknown>][])
  .flatMap(([name, { alias }]) => alias === undefined ? [name] : [name, alias]);

function meantBy(...names: string[]): (string | undefined)[] {
  return names.map((name) => {
    const warnings = misspeltSettings({ [name]: "geheim" });
    assert.ok(warnings.length <= 1 && !warnings.join().includes("geheim"));
    return /^(\w+) is not a setting and has no effect: did you mean (\w+)\?$/.exec(warnings[0] ?? "")?.[2];
  });
}

Deno.test("misspeltSettings() names the setting that was meant", () => {
  assert.deepEqual(meantBy("LABLE", "LABLE_VALUE", "FOLDR", "REQ_URLL", "REQ_URI", "NAMESPACES", "HEALTHCHECK_PORTS"), [
    "LABEL",
    "LABEL_VALUE",
    "FOLDER",
    "REQ_URL",
    "REQ_URL",
    "NAMESPACE",
    "HEALTHCHECK_PORT",
  ]);
});

Deno.test("misspeltSettings() says nothing about a setting or another program's variable", () => {
  const env = Object.fromEntries([...NAMES, "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"].map((name) => [name, "x"]));
  const others = [
    "HOSTNAME",
    "HOME",
    "PATH",
    "PWD",
    "TZ",
    "POD_NAME",
    "POD_NAMESPACE",
    "NODE_NAME",
    "NO_PROXY",
    "TERM",
  ];
  assert.deepEqual(misspeltSettings({ ...env, ...Object.fromEntries(others.map((name) => [name, "x"])) }), []);
  assert.deepEqual(misspeltSettings({ LABLE: "", FOLDR: undefined }), []);
});

Deno.test("misspeltSettings() says nothing about what the kubelet makes for a Service", () => {
  assert.deepEqual(
    misspeltSettings({
      HEALTHS_PORT: "tcp://10.96.12.34:80",
      HEALTH_SERVICE_PORT: "80",
      HEALTH_PORT_80_TCP: "tcp://10.96.12.34:80",
      HEALTH_PORT_80_TCP_PORT: "80",
    }),
    [],
  );
});

/** Damerau-Levenshtein (optimal string alignment), by the book. */
function distance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    rows.push([]);
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        rows[i]!.push(i + j);
        continue;
      }
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      rows[i]!.push(least);
    }
  }
  return rows[a.length]![b.length]!;
}

Deno.test("isOneSlipAway() agrees with the distance of Damerau and Levenshtein", () => {
  const random = seeded(20261125);
  const word = () => Array.from({ length: Math.floor(random() * 6) }, () => pick(random, ["A", "B", "C"])).join("");
  for (let run = 0; run < 5000; run++) {
    const [a, b] = [word(), word()];
    assert.equal(isOneSlipAway(a, b), distance(a, b) === 1, `${a} ${b}`);
  }
});
