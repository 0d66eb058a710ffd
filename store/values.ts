/** The values of a batch: an array, or what makes each of them when it is asked for. */
export type Values = Pick<readonly Buffer[], 'length' | 'at' | 'map' | 'slice' | 'entries'> &
  Iterable<Buffer>;

/**
 * Values that are made by `valueAt` whenever they are asked for, and not kept. A buffer for each of ten thousand records that wait for
 * the index is what garbage collection moves about meanwhile.
 */
export function lateValues(length: number, valueAt: (i: number) => Buffer): Values {
  return {
    length,
    at: (i) => (i < length ? valueAt(i) : undefined),
    map: (toOther) => all().map(toOther),
    slice: (from, to) => all().slice(from, to),
    entries: () => all().entries(),
    [Symbol.iterator]: () => all().values(),
  };

  function all(): Buffer[] {
    return Array.from({ length }, (_, i) => valueAt(i));
  }
}
