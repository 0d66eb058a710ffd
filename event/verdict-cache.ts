/** Verdicts that are looked at for one hash. */
const WAYS = 4;
/** The lowest bit of a hash's second word gives way to the verdict. */
const VERDICT = 1;
/** Zero marks an empty slot; a hash of zero is stored as this. */
const NOT_EMPTY = 1;

/** Returns the verdict on a text, which is identified by two words of 32 scattered bits: the remembered one, or the one of `judge`. */
export type VerdictCache = (high: number, low: number, judge: () => boolean) => boolean;

/**
 * Remembers `size` verdicts (a power of two), in buckets of four. A new one replaces the oldest of its bucket, so a flood of invented texts
 * costs no more than judging them. 32 KB at the default size.
 */
export function createVerdictCache(size = 4096): VerdictCache {
  const slots = new Int32Array(2 * size);
  const buckets = size / WAYS;
  let turn = 0;
  return (first, second, judge) => {
    const high = first || NOT_EMPTY;
    const low = second & ~VERDICT;
    const bucket = 2 * WAYS * ((second >>> 1) & (buckets - 1));
    for (let at = bucket; at < bucket + 2 * WAYS; at += 2) {
      const verdict = (slots[at + 1] ?? 0) ^ low;
      if (slots[at] === high && (verdict & ~VERDICT) === 0) return verdict === VERDICT;
    }
    const isTrue = judge();
    turn = (turn + 1) % WAYS;
    slots[bucket + 2 * turn] = high;
    slots[bucket + 2 * turn + 1] = low | (isTrue ? VERDICT : 0);
    return isTrue;
  };
}
