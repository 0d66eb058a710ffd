/** The origins of dead letters, to look up whether a record is one of them. */
export type DeadOrigins = {
  /** `recorded`: the time of the record, `time`: when it became a dead letter; ms since 1970. */
  add(letter: { origin: string; recorded: number | undefined; time: number }): void;
  /**
   * Whether a letter is about the record with this origin and time. A topic that was created again has other records at the same offsets:
   * they have another time, or were received after the letter was written.
   */
  has(origin: string, received: number | undefined): boolean;
  origins(): Iterable<string>;
  size(): number;
};

/** Clocks of the sink and the producers differ. */
const SKEW_MS = 3_600_000;

export function createDeadOrigins(): DeadOrigins {
  /** Times of the records, by origin. For a letter without one: a time before which the record was received. */
  const letters = new Map<string, { at: number; isExact: boolean }[]>();
  return {
    add({ origin, recorded, time }) {
      const one =
        recorded === undefined ? { at: time + SKEW_MS, isExact: false } : { at: recorded, isExact: true };
      const some = letters.get(origin);
      if (some === undefined) letters.set(origin, [one]);
      else some.push(one);
    },
    has(origin, received) {
      // Older versions wrote a single letter for a list of events.
      const some = letters.get(origin) ?? letters.get(origin.replace(/\.\d+$/, ''));
      if (some === undefined || received === undefined) return some !== undefined;
      return some.some(({ at, isExact }) => (isExact ? at === received : received <= at));
    },
    origins: () => letters.keys(),
    size: () => letters.size,
  };
}
