import assert from "node:assert/strict";

Deno.test("SECURITY.md names tests that exist", () => {
  const root = new URL("../", import.meta.url);
  const named = [...Deno.readTextFileSync(new URL("SECURITY.md", root)).matchAll(/`(tests\/[^`]+)`/g)];
  assert.ok(named.length > 0);
  for (const [, path = ""] of named) assert.ok(Deno.statSync(new URL(path, root)).isFile, path);
});
