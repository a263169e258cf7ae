/** Limit for a message, in bytes of UTF-8. Source: kubernetes `pkg/apis/core/validation/events.go`, NoteLengthLimit. */
const MAX_MESSAGE_BYTES = 1024;

const ELLIPSIS = "…";
const encoder = new TextEncoder();

/** The message, cut at a character boundary to at most 1024 bytes. */
export function shortened(message: string): string {
  const maxBytesPerUnit = 3;
  if (message.length * maxBytesPerUnit <= MAX_MESSAGE_BYTES) return message;
  const { read } = encoder.encodeInto(message, new Uint8Array(MAX_MESSAGE_BYTES));
  if (read === message.length) return message;
  const room = MAX_MESSAGE_BYTES - encoder.encode(ELLIPSIS).length;
  return message.slice(0, encoder.encodeInto(message, new Uint8Array(room)).read) + ELLIPSIS;
}
