/** Longest message, in bytes of UTF-8. Source: kubernetes `pkg/apis/core/validation/events.go`, NoteLengthLimit. */
const LONGEST_MESSAGE = 1024;

const ELLIPSIS = "…";
const encoder = new TextEncoder();

/** The message in at most 1024 bytes, cut between two characters. */
export function shortened(message: string): string {
  const longestCharacter = 3;
  if (message.length * longestCharacter <= LONGEST_MESSAGE) return message;
  const { read } = encoder.encodeInto(message, new Uint8Array(LONGEST_MESSAGE));
  if (read === message.length) return message;
  const room = LONGEST_MESSAGE - encoder.encode(ELLIPSIS).length;
  return message.slice(0, encoder.encodeInto(message, new Uint8Array(room)).read) + ELLIPSIS;
}
