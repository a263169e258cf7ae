/** Passes the objects of one source to several receivers. */
import type { KubeObject } from "../../objects/object.ts";
import type { ObjectSink } from "./object_sink.ts";

export class FanOut implements ObjectSink {
  /** Each with whether it received the list under way, or the last one, from its beginning. */
  readonly #sinks = new Map<ObjectSink, boolean>();
  /** A list has begun, and nothing of it has come yet. */
  #isAtBeginning = false;

  get isEmpty(): boolean {
    return this.#sinks.size === 0;
  }

  /** Whether some receiver has missed the beginning of the last list, so that there must be another. */
  get needsList(): boolean {
    return [...this.#sinks.values()].includes(false);
  }

  /** Adds a receiver. It receives nothing until a list begins, unless one has just begun. */
  join(sink: ObjectSink): void {
    this.#sinks.set(sink, this.#isAtBeginning);
    if (this.#isAtBeginning) sink.beginList();
  }

  leave(sink: ObjectSink): void {
    this.#sinks.delete(sink);
  }

  /** The list under way will not go on: who joins from now on needs another. */
  interrupted(): void {
    this.#isAtBeginning = false;
  }

  beginList(): void {
    this.#isAtBeginning = true;
    for (const sink of this.#sinks.keys()) {
      this.#sinks.set(sink, true);
      sink.beginList();
    }
  }

  endList(): void {
    for (const sink of this.#listening()) sink.endList();
  }

  apply(object: KubeObject, listed: boolean, signal: AbortSignal): void | Promise<void> {
    let isSlow = false;
    const done = this.#listening().map((sink) => {
      const applied = sink.apply(object, listed, signal);
      isSlow ||= applied !== undefined;
      return applied;
    });
    // Most receivers are done at once: a promise for each object would be costly
    return isSlow ? Promise.all(done).then(() => {}) : undefined;
  }

  delete(object: KubeObject): void {
    for (const sink of this.#listening()) sink.delete(object);
  }

  /** Whether every receiver does without the source. */
  forbidden(): boolean {
    return [...this.#sinks.keys()].map((sink) => sink.forbidden?.() ?? false).every(Boolean);
  }

  #listening(): ObjectSink[] {
    this.#isAtBeginning = false;
    return [...this.#sinks].filter(([, hasBegun]) => hasBegun).map(([sink]) => sink);
  }
}
