/** The wall clock jumps. Timestamps in the log may show it, and nothing else. */
import assert from "node:assert/strict";
import { ApiFront } from "../support/api_front.ts";
import { churns } from "../support/churn.ts";
import { assertDiskFollows } from "../support/cluster_files.ts";
import { faultStories } from "../support/fault_story.ts";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { assertFolderEquals } from "../support/oracle.ts";
import { inClusterAddress } from "../support/story.ts";
import { WallClock } from "../support/wall_clock.ts";

const DAY = 86_400;

const LIST_OR_WATCH = /^GET .*(limit=500|watch=true)/;

const probe = WallClock.make();
const details = { ignore: probe === undefined };
const suffix = details.ignore ? " (left out: no C compiler)" : "";
probe?.[Symbol.dispose]();

const story = faultStories();

function clock(): WallClock {
  const made = WallClock.make();
  if (made === undefined) throw new Error("there was a C compiler a moment ago");
  return made;
}

/** Days by which the last line's time is off. */
function daysOff(sidecar: SidecarProcess): number {
  return Math.round((Date.parse(String(sidecar.lines.at(-1)?.fields.time)) - Date.now()) / 1000 / DAY) + 0;
}

story(`the wall clock jumps a day forwards and two back in a storm of changes${suffix}`, async (at, random) => {
  using wall = clock();
  const storms = churns(at, random, 2);
  await Promise.all(storms.map((churn) => churn.run(10)));
  const sidecar = await at.startReady({ DEBUG: "true" }, { through: wall.through });
  await Promise.all(storms.map((churn) => churn.run(10)));
  await assertDiskFollows(at);
  const asked = sidecar.findAll(LIST_OR_WATCH).length;
  for (const days of [1, -1, 30, -365, 0]) {
    wall.shift(days * DAY);
    await Promise.all(storms.map((churn) => churn.run(10)));
    await assertDiskFollows(at);
    assert.equal(daysOff(sidecar), days);
    for (const path of ["/livez", "/healthz", "/readyz"]) {
      assert.equal((await sidecar.health(path)).status, 200, `${path} when the clock is ${days} days off`);
    }
  }
  assert.deepEqual(sidecar.lines.filter(({ level }) => ["ERROR", "CRITICAL"].includes(level)), []);
  // A list, or another watch, would show that somebody believed the clock
  assert.equal(sidecar.findAll(LIST_OR_WATCH).length, asked);
}, details);

story(
  `the wall clock is a day behind when the connection is lost: certificates are not valid yet, until it is right again${suffix}`,
  async (at) => {
    using wall = clock();
    await using front = await ApiFront.start(at.controlPlane);
    await at.create("ConfigMap", "a", { data: { "a.txt": "1" } });
    const address = { ...await at.serviceAccount(), ...inClusterAddress(front.url) };
    const sidecar = await at.startReady(address, { through: wall.through });
    await front.watching();
    wall.shift(DAY);
    front.cut();
    await at.change("ConfigMap", "a", { data: { "a.txt": "2" } });
    await assertDiskFollows(at);
    await front.watching();
    wall.shift(-2 * DAY);
    await front.replaceCertificate(await at.controlPlane.servingCertificate());
    await at.change("ConfigMap", "a", { data: { "a.txt": "3" } });
    await sidecar.logged(/certificate.*not valid yet/i);
    assertFolderEquals(at.folder, { "a.txt": "2" });
    assert.equal((await sidecar.health("/livez")).status, 200);
    wall.shift(0);
    await assertDiskFollows(at);
  },
  details,
);
