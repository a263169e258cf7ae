/** What keeps several sources from the API server at one time is told once: one of them speaks for all. */
export class Outages {
  readonly #speakers = new Map<string, object>();

  /** Whether `source` has to tell of its failure, for no other source has told of the same. */
  begin(source: object, reason: string): boolean {
    this.end(source);
    if (this.#speakers.has(reason)) return false;
    this.#speakers.set(reason, source);
    return true;
  }

  /** The source works, or fails for another reason. */
  end(source: object): void {
    for (const [reason, speaker] of this.#speakers) {
      if (speaker === source) this.#speakers.delete(reason);
    }
  }
}
