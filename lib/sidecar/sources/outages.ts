/** Logs an outage that affects several sources once: the source that reported it first speaks for all. */
export class Outages {
  readonly #speakers = new Map<string, object>();

  /** Whether `source` must log its failure: no other source has logged the same one. */
  begin(source: object, reason: string): boolean {
    this.end(source);
    if (this.#speakers.has(reason)) return false;
    this.#speakers.set(reason, source);
    return true;
  }

  /** The source works again, or fails for another reason. */
  end(source: object): void {
    for (const [reason, speaker] of this.#speakers) {
      if (speaker === source) this.#speakers.delete(reason);
    }
  }
}
