import { DownloadQueue, type Place } from "./download_queue.ts";
import { HostPauses, type HostPausesOptions } from "./host_pauses.ts";

/** Decides when a download of one collection runs. */
export interface DownloadTurns {
  /**
   * Runs `download` in its turn.
   *
   * @throws what `download` throws, or the signal's reason if it aborts before the start
   */
  run<T>(place: Place, signal: AbortSignal, download: () => Promise<T>): Promise<T>;
}

/** What the downloads of all collections share: one queue, and the pauses of their hosts. */
export class SharedDownloads {
  readonly #queue = new DownloadQueue();
  readonly #pauses: HostPauses;

  constructor(options: HostPausesOptions) {
    this.#pauses = new HostPauses(options);
  }

  /** @param maxOpen downloads of this collection that run at one time */
  join(maxOpen: number): DownloadTurns {
    const line = this.#queue.join(maxOpen);
    return {
      run: (place, signal, download) =>
        this.#pauses.run(place, signal, (run) => line.run(place, signal, run), download),
    };
  }
}
