/**
 * Whether the moment `until` (ms, of the zone) is still to come. One that lies further ahead than `longestMs`, the most that it
 * was ever put off, was noted before the clock was set back: it counts as past, or it would hold for hours.
 */
export function isAhead(until: number | undefined, longestMs: number): boolean {
  const leftMs = (until || 0) - Date.now();
  return leftMs > 0 && leftMs <= longestMs;
}
