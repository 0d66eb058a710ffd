import type { DeadLetter } from '../store/dead-letters/dead-letters.ts';
import type { RemovedRange } from '../store/history.ts';

/** Prefix of the reason of a dead letter that represents records removed unread. */
const REMOVED = 'removed from the log before they were read';

export function countRemoved({ first, last }: RemovedRange): number {
  return Number(BigInt(last) - BigInt(first) + 1n);
}

/** Stores a note after the group has moved on: `hotitem verify` reads it. */
export function toRemovedLetter(range: RemovedRange): DeadLetter {
  const { source, first, last } = range;
  return {
    value: Buffer.alloc(0),
    reason: `${REMOVED}: ${countRemoved(range)} records, see its retention`,
    origin: `${source}/${first}-${last}`,
  };
}

/** What such a letter represents; undefined for any other. */
export function toRemovedRange({
  reason,
  origin,
}: {
  reason: string;
  origin: string;
}): RemovedRange | undefined {
  const [, source, first, last] = /^(.+)\/(\d+)-(\d+)$/.exec(origin) ?? [];
  if (!reason.startsWith(REMOVED) || source === undefined || first === undefined || last === undefined)
    return undefined;
  return { source, first, last };
}
