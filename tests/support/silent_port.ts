/** A port that answers no attempt to connect: nobody accepts, and its queue is full. */

/** More than any queue is long here. */
const MAX_CONNECTIONS = 10_000;

/** Milliseconds after which an attempt on loopback counts as unanswered. */
const UNANSWERED_MS = 300;

export class SilentPort implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #attempts: Promise<Deno.TcpConn | undefined>[] = [];

  private constructor(hostname: string, port: number) {
    this.#listener = Deno.listen({ hostname, port });
  }

  static async at(hostname: string, port: number): Promise<SilentPort> {
    const silent = new SilentPort(hostname, port);
    for (let count = 0; count < MAX_CONNECTIONS; count++) {
      const attempt = Deno.connect({ hostname, port }).catch(() => undefined);
      silent.#attempts.push(attempt);
      const unanswered = Promise.withResolvers<true>();
      const timer = setTimeout(() => unanswered.resolve(true), UNANSWERED_MS);
      const isSilent = await Promise.race([attempt.then(() => false), unanswered.promise]);
      clearTimeout(timer);
      if (isSilent) return silent;
    }
    await silent[Symbol.asyncDispose]();
    throw new Error(`${hostname}:${port} accepts any number of connections`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const attempt of this.#attempts) (await attempt)?.close();
  }
}
