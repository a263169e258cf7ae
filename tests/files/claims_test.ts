import assert from "node:assert/strict";
import { type Claimant, compareClaimants } from "../../lib/files/claimant.ts";
import { Claims } from "../../lib/files/claims.ts";
import { forSeeds, pick, shuffled } from "../support/random.ts";

function claimant(name: string, created: number, ...paths: string[]): Claimant {
  return { key: `ConfigMap/default/${name}`, kind: "ConfigMap", namespace: "default", name, created, paths };
}

/** Claims with these objects in it. */
function claimsOf(...objects: Claimant[]): Claims {
  const claims = new Claims("oldest");
  for (const object of objects) claims.set(object);
  return claims;
}

const NOTHING = { won: new Set<string>(), freed: [], inherited: [], collisions: [] };

Deno.test("set() gives an object the paths that nobody else wants", () => {
  const claims = new Claims("oldest");
  const a = claimant("a", 1, "/x", "/y");
  assert.deepEqual(claims.set(a), { ...NOTHING, won: new Set(["/x", "/y"]) });
  assert.equal(claims.winnerOf("/x"), a);
  assert.equal(claims.winnerOf("/z"), undefined);
  assert.equal(claims.size, 2);
  assert.equal(claims.objectCount, 1);
});

Deno.test("set() frees what an object no longer wants", () => {
  const claims = claimsOf(claimant("a", 1, "/x", "/y"));
  const change = claims.set(claimant("a", 1, "/y", "/z"));
  assert.deepEqual(change, { ...NOTHING, won: new Set(["/y", "/z"]), freed: ["/x"] });
  assert.equal(claims.winnerOf("/x"), undefined);
});

Deno.test("set() takes a path that an object names twice for one", () => {
  const claims = claimsOf(claimant("a", 1, "/x", "/x"));
  assert.deepEqual(claims.delete("ConfigMap/default/a"), { ...NOTHING, freed: ["/x"] });
  assert.equal(claims.size, 0);
});

Deno.test("set() tells of a collision once, and who has the path", () => {
  const old = claimant("old", 1, "/x");
  const young = claimant("young", 2, "/x");
  for (const [first, second] of [[old, young], [young, old]] as const) {
    const claims = claimsOf(first);
    const change = claims.set(second);
    assert.deepEqual(change.collisions, [{ path: "/x", winner: old, loser: young }]);
    assert.deepEqual(change.won, new Set(second === old ? ["/x"] : []));
    assert.deepEqual(claims.set({ ...second }).collisions, []);
    assert.deepEqual(claims.set({ ...first }).collisions, []);
  }
});

Deno.test("delete() gives a path to the next in order", () => {
  const [first, second, third] = [claimant("c", 1, "/x"), claimant("a", 2, "/x"), claimant("b", 2, "/x")];
  const claims = claimsOf(third, first, second);
  assert.equal(claims.winnerOf("/x"), first);
  assert.deepEqual(claims.delete(first.key), { ...NOTHING, inherited: [{ path: "/x", heir: second.key }] });
  assert.deepEqual(claims.delete(second.key), { ...NOTHING, inherited: [{ path: "/x", heir: third.key }] });
  assert.deepEqual(claims.delete(third.key), { ...NOTHING, freed: ["/x"] });
  assert.equal(claims.size, 0);
});

Deno.test("delete() of a loser changes nothing for the winner", () => {
  const [first, second, third] = [claimant("a", 1, "/x"), claimant("b", 1, "/x"), claimant("c", 1, "/x")];
  const claims = claimsOf(first, second, third);
  assert.deepEqual(claims.delete(second.key), NOTHING);
  assert.deepEqual(claims.delete(first.key).inherited, [{ path: "/x", heir: third.key }]);
});

Deno.test("delete() of an unknown object does nothing", () => {
  assert.deepEqual(new Claims("oldest").delete("ConfigMap/default/a"), NOTHING);
});

Deno.test("set() hands a path over when its winner drops it", () => {
  const heir = [{ path: "/x", heir: "ConfigMap/default/b" }];
  const claims = claimsOf(claimant("a", 1, "/x"), claimant("b", 2, "/x"));
  assert.deepEqual(claims.set(claimant("a", 1)), { ...NOTHING, inherited: heir });
  assert.deepEqual(claims.set(claimant("a", 1, "/x")).won, new Set(["/x"]));
  assert.deepEqual(claims.set(claimant("a", 3, "/x")), { ...NOTHING, inherited: heir });
  assert.deepEqual(claims.set(claimant("a", 1, "/x")).won, new Set(["/x"]));
});

Deno.test("set() gives the newest object the path with COLLISIONS=newest", () => {
  const old = claimant("old", 1, "/x");
  const young = claimant("young", 2, "/x");
  for (const [first, second] of [[old, young], [young, old]] as const) {
    const claims = new Claims("newest");
    claims.set(first);
    assert.deepEqual(claims.set(second).collisions, [{ path: "/x", winner: young, loser: old }]);
    assert.equal(claims.winnerOf("/x"), young);
    assert.deepEqual(claims.delete(young.key).inherited, [{ path: "/x", heir: old.key }]);
  }
});

Deno.test("set() decides between a file and a directory by age", () => {
  const old = claimant("old", 1, "/team-v/x", "/team-v/y");
  const young = claimant("young", 2, "/team-v", "/beside");
  for (const [first, second] of [[old, young], [young, old]] as const) {
    const claims = claimsOf(first);
    const change = claims.set(second);
    assert.deepEqual(change.collisions, [
      { path: "/team-v", winner: old, loser: young, blocker: "/team-v/x" },
    ]);
    assert.deepEqual(change.freed, first === young ? ["/team-v"] : []);
    assert.deepEqual(change.won, new Set(second === old ? old.paths : ["/beside"]));
    assert.equal(claims.winnerOf("/team-v"), undefined);
    assert.ok(!claims.isClaimedBy("/team-v", young.key));
    assert.equal(claims.size, 3);
    assert.deepEqual(claims.set({ ...second }).collisions, []);
    assert.deepEqual(claims.set({ ...first }).collisions, []);
  }
});

Deno.test("set() tells of each file that a file in its directory's place blocks", () => {
  const old = claimant("old", 1, "/team-v");
  const young = claimant("young", 2, "/team-v/x", "/team-v/deep/y");
  const lost = young.paths.map((path) => ({ path, winner: old, loser: young, blocker: "/team-v" }));
  assert.deepEqual(claimsOf(old).set(young), { ...NOTHING, collisions: lost });
  const { freed, collisions } = claimsOf(young).set(old);
  assert.deepEqual([freed, collisions], [young.paths, lost]);
});

Deno.test("delete() hands a directory's place to a file, and takes from it what that blocks", () => {
  const [first, second, third] = [claimant("a", 1, "/a/b"), claimant("b", 2, "/a"), claimant("c", 3, "/a/c")];
  const claims = claimsOf(third, second, first);
  assert.equal(claims.winnerOf("/a/c"), third);
  assert.deepEqual(claims.delete(first.key), {
    ...NOTHING,
    freed: ["/a/b", "/a/c"],
    inherited: [{ path: "/a", heir: second.key }],
    collisions: [{ path: "/a/c", winner: second, loser: third, blocker: "/a" }],
  });
  assert.deepEqual(claims.set(first).inherited, [{ path: "/a/c", heir: third.key }]);
});

Deno.test("set() gives the newest object a directory's place with COLLISIONS=newest", () => {
  const old = claimant("old", 1, "/a/b/c");
  const young = claimant("young", 2, "/a");
  const claims = new Claims("newest");
  claims.set(old);
  assert.deepEqual(claims.set(young).won, new Set(["/a"]));
  assert.deepEqual(claims.delete(young.key).inherited, [{ path: "/a/b/c", heir: old.key }]);
});

Deno.test("set() looks only at the objects that are in conflict", () => {
  const claims = new Claims("oldest");
  let looks = 0;
  for (let index = 0; index < 1000; index++) {
    const { paths, ...rest } = claimant(`object-${index}`, 1, `/a/b/${index}/c/x`, `/a/b/${index}/c/y`);
    claims.set({
      ...rest,
      get paths() {
        looks++;
        return paths;
      },
    });
  }
  looks = 0;
  assert.deepEqual(claims.set(claimant("beside", 0, "/a/b/x", "/a/b/7/d/x")).collisions, []);
  assert.equal(looks, 0);
  assert.deepEqual(claims.set(claimant("file", 0, "/a/b/7/c")).freed, ["/a/b/7/c/x", "/a/b/7/c/y"]);
  claims.delete("ConfigMap/default/file");
  assert.ok(looks > 0 && looks < 10, `${looks} looks`);
});

/** Some are where others need a directory. */
const PATHS = ["/1", "/2", "/1/1", "/1/2", "/1/2/1", "/1/2/1/1", "/1/2/1/1/1", "/2/1/1", "/2/1/2", "/1-2", "/1.1"];

/** One object's life: what it wants, one version after the other; `undefined`: deleted. */
type Life = { key: string; versions: (Claimant | undefined)[] };

function someLives(random: () => number): Life[] {
  return Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index): Life => {
    const ref = { kind: pick(random, ["ConfigMap", "Secret"] as const), namespace: pick(random, ["a", "b"]) };
    const name = `object-${index}`;
    const key = `${ref.kind}/${ref.namespace}/${name}`;
    const version = (): Claimant | undefined => {
      if (random() < 0.25) return undefined;
      const paths = PATHS.filter(() => random() < 0.3);
      return { ...ref, key, name, created: Math.floor(random() * 3), paths };
    };
    return { key, versions: Array.from({ length: 1 + Math.floor(random() * 4) }, version) };
  });
}

/** All versions of all objects, each object's own in their order. */
function someOrder(random: () => number, lives: readonly Life[]): { key: string; next: Claimant | undefined }[] {
  const left = lives.map(({ key, versions }) => ({ key, versions: [...versions] }));
  return shuffled(random, lives.flatMap(({ key, versions }) => versions.map(() => key)))
    .map((key) => ({ key, next: left.find((life) => life.key === key)?.versions.shift() }));
}

function areInConflict(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** What the rule says, worked out the slow way. */
function winnersOf(objects: Iterable<Claimant>): Record<string, string> {
  const winners = new Map<string, string>();
  for (const { key, paths } of [...objects].sort((a, b) => compareClaimants(a, b, "oldest"))) {
    const free = paths.filter((path) => ![...winners.keys()].some((won) => won === path || areInConflict(won, path)));
    for (const path of free) winners.set(path, key);
  }
  return Object.fromEntries(winners);
}

Deno.test("Claims have the same winners in whatever order", () => {
  forSeeds(4000, (random) => {
    const lives = someLives(random);
    const last = winnersOf(lives.flatMap(({ versions }) => versions.at(-1) ?? []));
    for (let order = 0; order < 2; order++) {
      const claims = new Claims("oldest");
      const objects = new Map<string, Claimant>();
      /** Path to the object whose content it has. */
      const disk = new Map<string, string>();
      for (const { key, next } of someOrder(random, lives)) {
        const before = winnersOf(objects.values());
        const change = next === undefined ? claims.delete(key) : claims.set(next);
        if (next === undefined) objects.delete(key);
        else objects.set(key, next);
        for (const path of change.won) disk.set(path, key);
        for (const { path, heir } of change.inherited) disk.set(path, heir);
        for (const path of change.freed) assert.ok(disk.delete(path), `${path} was freed and nobody had it`);
        const winners = winnersOf(objects.values());
        assert.deepEqual(Object.fromEntries(disk), { ...winners });
        for (const path of PATHS) assert.equal(claims.winnerOf(path)?.key, winners[path]);
        for (const { winner, loser, path, blocker } of change.collisions) {
          assert.equal(winner.key, winners[blocker ?? path]);
          assert.notEqual(loser.key, winner.key);
          if (blocker === undefined) assert.ok([winner.key, loser.key].includes(key));
          else assert.ok(areInConflict(path, blocker) && !claims.isClaimedBy(path, loser.key));
        }
        const told = change.collisions.map(({ path, loser }) => `${path} ${loser.key}`);
        assert.deepEqual(told.length, new Set(told).size);
        for (const [path, owner] of Object.entries(before)) {
          if (winners[path] !== undefined || !objects.get(owner)?.paths.includes(path)) continue;
          assert.ok(told.includes(`${path} ${owner}`), `${owner} lost ${path} and was not told`);
        }
      }
      assert.deepEqual(Object.fromEntries(disk), last);
      assert.equal(claims.size, Object.keys(last).length);
      assert.equal(claims.objectCount, objects.size);
    }
  });
});

Deno.test("lost() has every claim that is lost, with its winner", () => {
  const old = claimant("old", 1, "/x", "/dir", "/alone");
  const [young, youngest] = [claimant("young", 2, "/x"), claimant("youngest", 3, "/x", "/dir/below")];
  assert.deepEqual([...claimsOf(youngest, young, old).lost()], [
    { path: "/x", winner: old, loser: young },
    { path: "/x", winner: old, loser: youngest },
    { path: "/dir/below", winner: old, loser: youngest, blocker: "/dir" },
  ]);
  assert.deepEqual([...claimsOf(old).lost()], []);
});
