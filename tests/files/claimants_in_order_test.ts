import assert from "node:assert/strict";
import { type Claimant, compareClaimants } from "../../lib/files/claimant.ts";
import { ClaimantsInOrder } from "../../lib/files/claimants_in_order.ts";
import { forSeeds, shuffled } from "../support/random.ts";

Deno.test("take() returns the paths of one claimant after the other, in their order", () => {
  forSeeds(200, (random) => {
    const claimants = Array.from({ length: Math.floor(random() * 40) }, (_, index): Claimant => {
      const name = `object-${index}`;
      const created = Math.floor(random() * 5);
      return { key: name, kind: "ConfigMap", namespace: "default", name, created, paths: [] };
    });
    const pending = new ClaimantsInOrder("newest");
    for (const claimant of shuffled(random, claimants)) pending.add(claimant, `/${claimant.name}`);
    for (const claimant of claimants) pending.add(claimant, "/again");
    const taken = Array.from(claimants, () => pending.take());
    const inOrder = claimants.sort((a, b) => compareClaimants(a, b, "newest"));
    assert.deepEqual(taken, inOrder.map(({ name }) => [`/${name}`, "/again"]));
    assert.equal(pending.take(), undefined);
  });
});
