import { AnswerError } from "../client/errors.ts";

/** The server's resourceVersion went backwards (etcd was restored), so the cached state is invalid. */
export class VersionError extends Error {
  override readonly name = "VersionError";
}

/** The server does not support streaming lists, or did not complete one. */
export class StreamingListError extends Error {
  override readonly name = "StreamingListError";
}

/** The server ended a watch as soon as it had begun. */
export class ShortWatchError extends AnswerError {}
