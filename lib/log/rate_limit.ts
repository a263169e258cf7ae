/** Limits the lines of one kind, so that one object, or one attacker, cannot flood the log. */
import type { Clock } from "../runtime/clock.ts";
import { type Rate, TokenBucket } from "../runtime/token_bucket.ts";
import type { Log } from "./log.ts";

/** Lines of one kind: a thousand at once, then ten a second. */
const RATE: Rate = { burst: 1000, refill: 0.1 };

/** Seconds after the first line that was left out until the log says how many there were. */
const SUMMARY_SECONDS = 10;

/** Kinds that are remembered. What comes beyond them is of one kind, because servers choose some of the words. */
const MAX_KINDS = 200;
const OTHERS = "others";

type Level = keyof Log;

interface Kind {
  bucket: TokenBucket;
  /** When its last line came, in ms of the clock. */
  at: number;
  level: Level;
  /** Lines left out since the last summary. */
  left: number;
  /** The last of them. */
  last: string;
}

/** A {@link Log} that leaves out lines. `flush` says at once how many. */
export interface LimitedLog extends Log {
  flush(): void;
}

/** Lines that differ only in names, paths and numbers are of one kind. */
export function limitRate(log: Log, clock: Clock): LimitedLog {
  const kinds = new Map<string, Kind>();
  let isWaiting = false;

  const summarize = () => {
    for (const kind of kinds.values()) {
      if (kind.left === 0) continue;
      log[kind.level](`${kind.left} more lines of this kind were left out, the last one: ${kind.last}`);
      kind.left = 0;
    }
  };

  const write = (level: Level, message: string, properties?: Record<string, unknown>) => {
    let name = `${level} ${kindOf(message)}`;
    if (!kinds.has(name) && kinds.size >= MAX_KINDS && !forgetOne(kinds, clock.now())) name = `${level} ${OTHERS}`;
    const kind = kinds.get(name) ?? { bucket: new TokenBucket(RATE, clock.now()), level, left: 0, last: "", at: 0 };
    kind.at = clock.now();
    kinds.delete(name);
    kinds.set(name, kind);
    if (kind.bucket.take(clock.now())) return log[level](message, properties);
    kind.left++;
    kind.last = message;
    if (isWaiting) return;
    isWaiting = true;
    clock.sleep(SUMMARY_SECONDS).then(() => {
      isWaiting = false;
      summarize();
    }, () => {});
  };

  return {
    debug: (message, properties) => write("debug", message, properties),
    info: (message, properties) => write("info", message, properties),
    warn: (message, properties) => write("warn", message, properties),
    error: (message, properties) => write("error", message, properties),
    critical: (message, properties) => write("critical", message, properties),
    flush: summarize,
  };
}

/** Forgets the kind that was logged longest ago, of those whose bucket is full again by now. */
function forgetOne(kinds: Map<string, Kind>, now: number): boolean {
  for (const [name, { left, at }] of kinds) {
    if (left === 0 && now - at >= RATE.burst * RATE.refill * 1000) return kinds.delete(name);
  }
  return false;
}

/** A message without what differs from line to line: quoted text, and words with a slash or a digit in them. */
function kindOf(message: string): string {
  return message.slice(0, 500).replace(/"[^"]*"|\S*[/\d]\S*/g, "…").slice(0, 200);
}
