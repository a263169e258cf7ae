/** Answers that do not end by themselves: they stop in the middle, or go on and on. */
import { encode } from "./local_servers.ts";

/** Deno.serve prints it. */
const CUT = new Error("(the test breaks the connection here)");
CUT.stack = CUT.message;

export class EndlessAnswers implements Disposable {
  readonly #open = new Set<() => void>();

  /** Answers that the client still waits for. */
  get open(): number {
    return this.#open.size;
  }

  /** A head and this text, and then nothing more. */
  stopped(text: string): Response {
    return this.#answer((send) => {
      send(text);
      return () => {};
    });
  }

  /** A head and this text, and then whatever `next` returns, each `intervalMs`. */
  repeating(text: string, intervalMs: number, next: () => string): Response {
    return this.#answer((send) => {
      send(text);
      const timer = setInterval(() => send(next()), intervalMs);
      return () => clearInterval(timer);
    });
  }

  /** A head and this text; after `ms` milliseconds the connection breaks. */
  cut(text: string, ms: number): Response {
    return this.#answer((send, fail) => {
      send(text);
      const timer = setTimeout(fail, ms);
      return () => clearTimeout(timer);
    });
  }

  /** Ends all of them. */
  [Symbol.dispose](): void {
    for (const end of [...this.#open]) end();
  }

  #answer(begin: (send: (text: string) => void, cut: () => void) => () => void): Response {
    let cancel = () => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const over = (close: () => void) => () => {
          if (!this.#open.delete(end)) return;
          stop();
          close();
        };
        const end = over(() => controller.close());
        cancel = over(() => {});
        this.#open.add(end);
        const stop = begin(
          (text) => controller.enqueue(encode(text)),
          over(() => controller.error(CUT)),
        );
      },
      cancel: () => cancel(),
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  }
}
