/** A consumer group that could not continue at the next offset: the partition no longer has it. */
export type OffsetReset = {
  partition: number;
  /** What was to be read next. */
  from: bigint;
  /** What is read instead: the first existing offset. */
  to: bigint;
};

/** What of the offsets was passed over since this was made, each offset once: a reset may be seen again before the group commits. */
export function createResets(): (reset: OffsetReset) => bigint {
  const passed = new Map<number, bigint>();
  return ({ partition, from, to }) => {
    const known = passed.get(partition);
    passed.set(partition, to);
    const begin = known === undefined || known < from ? from : known;
    return begin < to ? to - begin : 0n;
  };
}
