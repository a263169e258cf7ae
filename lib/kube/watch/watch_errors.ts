import { AnswerError } from "../client/errors.ts";

/** The server's resourceVersion went backwards (etcd was restored), so the cached state is invalid. */
export class VersionError extends Error {
  override readonly name = "VersionError";
}

/** This server has no streaming lists, or does not end them. */
export class StreamingListError extends Error {
  override readonly name = "StreamingListError";
}

/** The server ended a watch as soon as it had begun. */
export class ShortWatchError extends AnswerError {}
