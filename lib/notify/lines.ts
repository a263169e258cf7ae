/** Maximum characters of a line; the rest is dropped, because output may never contain a newline. */
export const MAX_LINE_LENGTH = 4096;

/**
 * The lines of a byte stream as they arrive, without their newline. Ends early, without an error, when `signal` aborts.
 */
export async function* lines(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<string> {
  const reader = stream.getReader();
  const onAbort = () => void reader.cancel().catch(() => {});
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const decoder = new TextDecoder();
  let line = "";
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const parts = decoder.decode(chunk.value, { stream: true }).split("\n");
      const rest = parts.pop() ?? "";
      for (const end of parts) {
        yield kept(line, end);
        line = "";
      }
      line = kept(line, rest);
    }
    if (line !== "") yield line;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await reader.cancel().catch(() => {});
  }
}

function kept(start: string, end: string): string {
  return (start + end).slice(0, MAX_LINE_LENGTH);
}
