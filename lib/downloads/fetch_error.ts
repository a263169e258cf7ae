/** A download failed. The message has no credential and no query value in it. */
export class FetchError extends Error {
  override readonly name: string = "FetchError";
  /** Whether the host answered, though not with the content. */
  readonly hasAnswered: boolean;

  constructor(message: string, { hasAnswered = false, ...options }: ErrorOptions & { hasAnswered?: boolean } = {}) {
    super(message, options);
    this.hasAnswered = hasAnswered;
  }
}

/** The host answered 429 or 503: it wants fewer requests. */
export class BusyHostError extends FetchError {
  override readonly name = "BusyHostError";

  /** @param retryAfter seconds; `undefined` if the host does not say when to ask again */
  constructor(message: string, readonly retryAfter: number | undefined, options?: ErrorOptions) {
    super(message, { ...options, hasAnswered: true });
  }
}
