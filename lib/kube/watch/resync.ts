/** RESYNC_PERIOD: when a source is listed again. Times in seconds. */

/**
 * A resync is early by a random part of the period, up to this share, so that a fleet does not list at the same time.
 */
const RESYNC_JITTER = 0.1;

/** A resync that is due within this time is made now, because a watch until then would be too short. */
const MAX_RESYNC_MARGIN_SECONDS = 1;

/** Seconds from a list to its resync; `Infinity` when there is none. */
export function resyncDelay(resyncPeriod: number, random: () => number): number {
  return resyncPeriod === 0 ? Infinity : resyncPeriod * (1 - RESYNC_JITTER * random());
}

/** Whether a resync in `remaining` seconds is due now. */
export function isResyncDue(remaining: number, resyncPeriod: number): boolean {
  return remaining <= resyncMargin(resyncPeriod);
}

/** The shortest time from a list to its resync. */
export function soonestResync(resyncPeriod: number): number {
  return resyncPeriod * (1 - RESYNC_JITTER) - resyncMargin(resyncPeriod);
}

function resyncMargin(resyncPeriod: number): number {
  return Math.min(MAX_RESYNC_MARGIN_SECONDS, resyncPeriod / 2);
}
