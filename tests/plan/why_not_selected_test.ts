import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import type { ObjectRef } from "../../lib/objects/ref.ts";
import { type Sighting, whyNotSelected } from "../../lib/plan/why_not_selected.ts";

const REF: ObjectRef = { kind: "ConfigMap", namespace: "a", name: "one" };

function why(env: Record<string, string>, sighting: Partial<Sighting> = {}, ref = REF): string[] {
  const [collection] = parseConfig({ FOLDER: "/f", ...env }).config.collections;
  const reasons = whyNotSelected(collection!.selection, "own", ref, { exists: true, ...sighting });
  return reasons.map(({ what, cure }) => `${what}: ${cure}`);
}

for (
  const [what, env, sighting, expected] of [
    ["nothing for what is selected", { LABEL: "app" }, { labels: { app: "" } }, []],
    ["a missing label", { LABEL: "app" }, {}, ["label app is missing: add the label app"]],
    [
      "a wrong value, and the wanted one",
      { LABEL: "app", LABEL_VALUE: "web" },
      { labels: { app: "Web" } },
      ['label app is "Web", wanted: "web": set the label app to "web"'],
    ],
    ["each unmet condition", { LABEL: "app in (a,b),!draft,tier!=x" }, { labels: { draft: "1", tier: "x" } }, [
      'label app is missing, wanted: "a" or "b": set the label app to "a" or "b"',
      'label draft is "1", wanted: none: remove the label draft',
      'label tier is "x", wanted: not "x": change or remove the label tier',
    ]],
    ["a label with nearly the name", { LABEL: "grafana_dashboard" }, { labels: { "Grafana-Dashboards": "1" } }, [
      "label grafana_dashboard is missing; it has the label Grafana-Dashboards: did you mean that?: " +
      "add the label grafana_dashboard",
    ]],
    ["no label with another name", { LABEL: "app,role" }, { labels: { "app.kubernetes.io/name": "x", rule: "x" } }, [
      "label app is missing: add the label app",
      "label role is missing: add the label role",
    ]],
    [
      "no other label with a common prefix",
      { LABEL: "app.kubernetes.io/name" },
      { labels: { "app.kubernetes.io/part": "x" } },
      ["label app.kubernetes.io/name is missing: add the label app.kubernetes.io/name"],
    ],
    ["an annotation in place of a label", { LABEL: "app=web,!old" }, { annotations: { app: "web", old: "" } }, [
      'label app is missing, wanted: "web"; it has an annotation of that name, which is no label: ' +
      'set the label app to "web"',
    ]],
    [
      "an object that does not exist",
      { LABEL: "app" },
      { exists: false },
      ["it does not exist: create it"],
    ],
    [
      "a namespace that is not watched",
      { LABEL: "app", NAMESPACE: "b,c" },
      { labels: { app: "" } },
      ["namespace a is not watched: NAMESPACE is b,c: add a to NAMESPACE, or set NAMESPACE=ALL"],
    ],
    [
      "the pod's own namespace",
      { LABEL: "app", DEFAULTS: "kiwigrid", RESOURCE: "both" },
      { labels: { app: "" } },
      ["namespace a is not watched: NAMESPACE is own: add a to NAMESPACE, or set NAMESPACE=ALL"],
    ],
    [
      "an excluded namespace",
      { LABEL: "app", NAMESPACE_EXCLUDE: "x,a*" },
      { labels: { app: "" } },
      ["namespace a is excluded: NAMESPACE_EXCLUDE has a*: take a* out of NAMESPACE_EXCLUDE"],
    ],
    [
      "labels of the namespace",
      { LABEL: "app", NAMESPACE_SELECTOR: "team=x" },
      { labels: { app: "" }, namespaceLabels: { team: "y" } },
      [
        'its namespace is not selected (NAMESPACE_SELECTOR): label team is "y", wanted: "x": ' +
        'on the namespace, set the label team to "x"',
      ],
    ],
    [
      "the kind",
      { LABEL: "app", RESOURCE: "secret" },
      { labels: { app: "" } },
      ["RESOURCE does not select configmaps, only secrets: set RESOURCE=both or RESOURCE=configmap"],
    ],
    ["nothing for a named object", { RESOURCE_NAME: "a/configmap/one" }, {}, []],
    [
      "the names",
      { RESOURCE_NAME: "a/secret/one,two" },
      {},
      ["RESOURCE_NAME does not name it: a/secret/one, two: add it to RESOURCE_NAME"],
    ],
  ] satisfies [string, Record<string, string>, Partial<Sighting>, string[]][]
) {
  Deno.test(`whyNotSelected() names ${what}`, () => assert.deepEqual(why(env, sighting), expected));
}
