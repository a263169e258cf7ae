/** Liveness: every loop of the process reports how long its current step may take, and none is overdue. */
import type { Clock } from "../runtime/clock.ts";
import { Heartbeat } from "../runtime/heartbeat.ts";

export interface HeartbeatGroup extends Pick<Liveness, "heartbeat"> {
  /** The loops have ended. */
  close(): void;
}

export class Liveness {
  readonly #clock: Clock;
  readonly #heartbeats = new Set<Heartbeat>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param loop names the loop in the reason: `watch of secrets in all namespaces` */
  heartbeat(loop: string): Heartbeat {
    const heartbeat = new Heartbeat(loop, this.#clock);
    this.#heartbeats.add(heartbeat);
    return heartbeat;
  }

  /** The heartbeats of loops that end together, before the process does. */
  group(): HeartbeatGroup {
    const members = new Set<Heartbeat>();
    return {
      heartbeat: (loop) => {
        const heartbeat = this.heartbeat(loop);
        members.add(heartbeat);
        return heartbeat;
      },
      close: () => members.forEach((heartbeat) => this.#heartbeats.delete(heartbeat)),
    };
  }

  /** Which loop is stuck, in one line; `undefined`: none. */
  stuck(): string | undefined {
    for (const { overdue } of this.#heartbeats) {
      if (overdue !== undefined) return overdue;
    }
    return undefined;
  }
}
