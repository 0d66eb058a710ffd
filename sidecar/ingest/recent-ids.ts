import { placeOf } from './place-of.ts';

/** Remembers which events came lately, in a fixed amount of memory. An id is given as its `bitsOf`, word 0 and word 1. */
export type RecentIds = {
  has(high: number, low: number): boolean;
  /** Whether it has one of these. Three times as fast as to ask for each between other work: the waits for memory overlap. */
  hasAny(high: number[], low: number[]): boolean;
  add(high: number, low: number): void;
};

/** Slots a generation; half of them are used at most. 2 × 8 MB, the last 524,288 ids at least. */
const SLOT_BITS = 20;
const SLOTS = 1 << SLOT_BITS;
/** Zero marks an empty slot; an id of zero is stored as this. */
const NOT_EMPTY = 1;

/**
 * Two generations of an open-addressing table: when the younger is half full it becomes the older one, which is forgotten.
 * Of an id it keeps the first 64 bits of nginx's random request id. Two different events among the last million share
 * them with a probability of one in 10^13 each; the second would then be counted as a duplicate and not be kept.
 */
export function createRecentIds(): RecentIds {
  let young = createTable();
  let old = createTable();
  return {
    has,
    hasAny(high, low) {
      for (let i = 0; i < high.length; i++) if (has(high[i] ?? 0, low[i] ?? 0)) return true;
      return false;
    },
    add(high, low) {
      young.add(high || NOT_EMPTY, low);
      if (young.size() < SLOTS / 2) return;
      const forgotten = old;
      old = young;
      young = forgotten;
      young.clear();
    },
  };

  function has(high: number, low: number): boolean {
    return young.has(high || NOT_EMPTY, low) || old.has(high || NOT_EMPTY, low);
  }
}

function createTable() {
  const slots = new Int32Array(2 * SLOTS);
  let used = 0;
  return {
    size: () => used,
    has: (high: number, low: number) => slots[2 * find(high, low)] !== 0,
    add(high: number, low: number) {
      const slot = find(high, low);
      if (slots[2 * slot] !== 0) return;
      slots[2 * slot] = high;
      slots[2 * slot + 1] = low;
      used++;
    },
    clear() {
      slots.fill(0);
      used = 0;
    },
  };

  function find(high: number, low: number): number {
    let slot = placeOf(low, SLOT_BITS);
    while (slots[2 * slot] !== 0 && (slots[2 * slot] !== high || slots[2 * slot + 1] !== low)) {
      slot = (slot + 1) & (SLOTS - 1);
    }
    return slot;
  }
}
