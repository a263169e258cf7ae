import type { Clock } from "./clock.ts";

/** Milliseconds of work before other tasks of the event loop get a chance. */
export const MAX_SLICE_MS = 20;

/** Long work in slices of time, so that the event loop stays free: whoever works asks whether the slice is over. */
export class TimeSlice {
  readonly #clock: Clock;
  #end = 0;
  #pause: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called by a task of the event loop when it starts. */
  begin(): void {
    this.#end = this.#clock.now() + MAX_SLICE_MS;
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.#end;
  }

  /** Lets other tasks of the event loop run and begins a slice, which all that wait now share. */
  pause(): Promise<void> {
    return this.#pause ??= this.#clock.sleep(0).then(() => {
      this.#pause = undefined;
      this.begin();
    });
  }
}
