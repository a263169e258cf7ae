/** Stories for which time passes more quickly than for the test: deadlines of half a minute pass in seconds. */
import { WallClock } from "./wall_clock.ts";

const ignore = (() => {
  const probe = WallClock.make();
  probe?.[Symbol.dispose]();
  return probe === undefined;
})();

/** A test's name and whether it is left out. */
export function withFastClock(name: string): { name: string; ignore: boolean } {
  return { name: ignore ? `${name} (left out: no C compiler)` : name, ignore };
}

export function fastClock(): WallClock {
  const clock = WallClock.make();
  if (clock === undefined) throw new Error("there was a C compiler a moment ago");
  return clock;
}
