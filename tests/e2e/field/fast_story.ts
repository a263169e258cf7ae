/** Stories in which minutes pass in seconds. */
import { fastClock, withFastClock } from "../../support/fast_clock.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory, Settings, Story } from "../../support/story.ts";
import type { WallClock } from "../../support/wall_clock.ts";

/** Seconds that pass for the sidecars in one second. */
const SPEED = 100;

/** An answer of a busy machine takes a while by the sidecars' clock. */
const PATIENT: Settings = { REQ_TIMEOUT: "600", RESYNC_PERIOD: "0", NOTIFY_QUIET_PERIOD: "0.1" };

/** Sidecars of one story, by one clock. */
export class FastStory {
  readonly at: Story;
  readonly #clock: WallClock;
  readonly #sidecars: SidecarProcess[] = [];

  constructor(at: Story, clock: WallClock) {
    this.at = at;
    this.#clock = clock;
  }

  async startReady(settings: Settings): Promise<SidecarProcess> {
    const sidecar = await this.at.startReady({ ...PATIENT, ...settings }, { through: this.#clock.through });
    this.#sidecars.push(sidecar);
    return sidecar;
  }

  /** Until so many seconds have passed for all that run, or until `until` returns true. */
  async pass(seconds: number, until = () => false, speed = SPEED): Promise<void> {
    const running = this.#sidecars.filter((sidecar) => sidecar.running);
    const wake = () => Promise.all(running.map((sidecar) => sidecar.health("/livez")));
    await this.#clock.fastForward(seconds, wake, until, speed);
  }
}

export function fastStory(story: AddStory, title: string, run: (fast: FastStory, at: Story) => Promise<void>): void {
  const { name, ignore } = withFastClock(title);
  story(name, async (at) => {
    using clock = fastClock();
    await run(new FastStory(at, clock), at);
  }, { ignore });
}
