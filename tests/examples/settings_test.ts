/** The examples set nothing that the sidecar does not know or would refuse. */
import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { SETTINGS } from "../../lib/config/settings.ts";
import { environmentOf, exampleObjects, exampleValues, podSpecOf, sidecarsOf } from "./example_files.ts";

/** Read from outside the table of settings. */
const OTHERS = ["POD_NAME"];

Deno.test("every sidecar in the examples has a configuration without faults and warnings", () => {
  let count = 0;
  for (const [path, objects] of exampleObjects()) {
    for (const object of objects) {
      for (const sidecar of sidecarsOf(podSpecOf(object) ?? { containers: [] })) {
        count++;
        const env = environmentOf(sidecar, "default");
        const { config, faults } = parseConfig(env);
        assert.deepEqual(faults, [], path);
        assert.deepEqual(config.warnings, [], path);
        assert.deepEqual(Object.keys(env).filter((name) => !isKnown(name)), [], path);
      }
    }
  }
  assert.equal(count, 5);
});

Deno.test("every values file swaps the image, and sets only what the sidecar knows", () => {
  const files = exampleValues();
  assert.equal(files.size, 4);
  for (const [path, values] of files) {
    const found = { images: 0 };
    visit(values, (name, value) => {
      if (name === "image") {
        found.images++;
        const { registry, repository } = value as Record<string, string>;
        assert.deepEqual([registry, repository], ["ghcr.io", "deno-k8s-sidecar/deno-k8s-sidecar"], path);
      }
      if (name !== "env") return;
      const env: Record<string, string> = Array.isArray(value)
        ? Object.fromEntries(value.map(({ name, value }) => [name, value]))
        : value as Record<string, string>;
      assert.deepEqual(Object.keys(env).filter((key) => !isKnown(key)), [], path);
      assert.deepEqual(parseConfig({ LABEL: "a", FOLDER: "/a", ...env }).faults, [], path);
    });
    assert.equal(found.images, 1, path);
  }
});

function isKnown(name: string): boolean {
  return name in SETTINGS || OTHERS.includes(name);
}

function visit(value: unknown, see: (name: string, value: unknown) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    see(name, item);
    visit(item, see);
  }
}
