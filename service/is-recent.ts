/**
 * Whether a moment is less than `ms` away. One that lies farther ahead is not: the clock was set back since, and it would stay recent until
 * the clock has caught up, for hours perhaps.
 */
export function isRecent(at: number, now: number, ms: number): boolean {
  return Math.abs(now - at) < ms;
}
