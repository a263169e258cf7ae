/**
 * Collects garbage by volume. V8 collects when the heap nears a limit that it sets by itself, and that is far above what
 * this program keeps: text that passed through would lie there for hours. A collection takes some 10 ms. It needs V8's
 * `--expose-gc`, which the binary and the tasks set; without it V8 does as it likes.
 */

/** Bytes of answers read between two collections, and the least that is worth one. */
const VOLUME = 4 * 2 ** 20;
const LEAST = 2 ** 19;

let passed = 0;

/** Text of so many bytes was read, and is done with. */
export function countGarbage(bytes: number): void {
  passed += bytes;
  if (passed >= VOLUME) collectGarbage();
}

/** Collects now, when there may be something. */
export function collectGarbage(): void {
  if (passed < LEAST) return;
  passed = 0;
  (globalThis as { gc?: () => void }).gc?.();
}
