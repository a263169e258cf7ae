import assert from "node:assert/strict";
import { type Claimant, compareClaimants } from "../../lib/files/claimant.ts";
import { forSeeds, shuffled } from "../support/random.ts";

function claimant(name: string, created: number): Claimant {
  return { key: name, kind: "ConfigMap", namespace: "default", name, created, paths: [] };
}

Deno.test("compareClaimants() goes by age, then namespace, name and kind", () => {
  const inOrder: Claimant[] = [
    { ...claimant("z", 1), namespace: "z" },
    { ...claimant("z", 2), namespace: "a" },
    { ...claimant("A", 2), namespace: "b" },
    { ...claimant("a", 2), namespace: "b", kind: "ConfigMap" },
    { ...claimant("a", 2), namespace: "b", kind: "Secret" },
  ];
  forSeeds(
    20,
    (random) => assert.deepEqual(shuffled(random, inOrder).sort((a, b) => compareClaimants(a, b, "oldest")), inOrder),
  );
});

Deno.test("compareClaimants() goes by youth with COLLISIONS=newest", () => {
  const inOrder: Claimant[] = [
    { ...claimant("z", 2), namespace: "z" },
    { ...claimant("z", 1), namespace: "a" },
    { ...claimant("a", 1), namespace: "b", kind: "ConfigMap" },
    { ...claimant("a", 1), namespace: "b", kind: "Secret" },
  ];
  forSeeds(20, (random) => {
    assert.deepEqual(shuffled(random, inOrder).sort((a, b) => compareClaimants(a, b, "newest")), inOrder);
  });
});
