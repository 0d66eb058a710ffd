/**
 * Whether the moment `until` (ms, from the zone) is in the future. If it is further ahead than `longestMs`, the longest delay ever set, the
 * clock was set back since: then it counts as past, because otherwise it would last for hours.
 */
export function isAhead(until: number | undefined, longestMs: number): boolean {
  const leftMs = (until || 0) - Date.now();
  return leftMs > 0 && leftMs <= longestMs;
}
