/** How long something took, in ms: half of all at most `medianMs`, 99 % at most `p99Ms`. Both are up to 5 % too long. */
export type Delays = { views: number; medianMs: number; p99Ms: number; longestMs: number };

/** Each bucket is this much wider than the one before (as a logarithm). */
const WIDER = Math.log(1.05);

/** Collects delays of any number of views in a fixed amount of memory. */
export function createDelays(): { add(ms: number): void; summary(): Delays | undefined } {
  const buckets: number[] = [];
  let views = 0;
  let longestMs = 0;
  return { add, summary };

  function add(ms: number): void {
    // Clocks of two hosts differ.
    const late = Math.max(0, ms);
    const bucket = Math.ceil(Math.log(late + 1) / WIDER);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    views++;
    longestMs = Math.max(longestMs, late);
  }

  function summary(): Delays | undefined {
    if (views === 0) return undefined;
    return { views, medianMs: upTo(0.5), p99Ms: upTo(0.99), longestMs };
  }

  function upTo(share: number): number {
    let left = views * share;
    const at = buckets.findIndex((count = 0) => {
      left -= count;
      return left <= 0;
    });
    return Math.min(longestMs, Math.round(Math.exp(at * WIDER) - 1));
  }
}
