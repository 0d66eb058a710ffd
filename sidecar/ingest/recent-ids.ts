import { placeOf } from './place-of.ts';

/** Remembers recent event ids, in a fixed amount of memory. An id is given as its `bitsOf`, words 0 and 1. */
export type RecentIds = {
  has(high: number, low: number): boolean;
  /** Whether it contains any of these. Several times as fast as single lookups between other work, because memory accesses overlap. */
  hasAny(high: number[], low: number[]): boolean;
  add(high: number, low: number): void;
};

/** Slots per generation; at most half of them are used. 2 × 9 MB, at least the last 524,288 ids. */
const SLOT_BITS = 20;
const SLOTS = 1 << SLOT_BITS;
const TAG_SHIFT = 24;
/** Zero marks an empty slot; a tag of zero is stored as this. */
const NOT_EMPTY = 1;

/**
 * Two generations of an open-addressing hash table: when the younger is half full, it replaces the older, which is forgotten. It stores the
 * first 64 bits of nginx's random request id. Among the last million events, two have the same bits with a probability of one in 10^13 per
 * event; the second would then be counted as a duplicate and dropped.
 */
export function createRecentIds(): RecentIds {
  let young = createTable();
  let old = createTable();
  return {
    has,
    hasAny(high, low) {
      young.fetch(low);
      old.fetch(low);
      for (let i = 0; i < high.length; i++) if (has(high[i] ?? 0, low[i] ?? 0)) return true;
      return false;
    },
    add(high, low) {
      young.add(high, low);
      if (young.size() < SLOTS / 2) return;
      const forgotten = old;
      old = young;
      young = forgotten;
      young.clear();
    },
  };

  function has(high: number, low: number): boolean {
    return young.has(high, low) || old.has(high, low);
  }
}

/** A byte of each id is beside the table: nearly all ids are new, which the bytes alone tell, and these fit into the caches. */
function createTable() {
  const ids = new Int32Array(2 * SLOTS);
  const tags = new Uint8Array(SLOTS);
  const fetched = new Int32Array(1);
  let used = 0;
  return {
    size: () => used,
    /** Reads the tags of these ids. The loop does so little that the processor fetches the memory of dozens of them at the same time. */
    fetch(low: number[]) {
      const all = tags;
      let read = 0;
      for (let i = 0; i < low.length; i++) read ^= all[placeOf(low[i] ?? 0, SLOT_BITS)] ?? 0;
      // V8 omits a read whose result is not used.
      fetched[0] = read;
    },
    has: (high: number, low: number) => tags[find(high, low)] !== 0,
    add(high: number, low: number) {
      const slot = find(high, low);
      if (tags[slot] !== 0) return;
      tags[slot] = tagOf(high);
      ids[2 * slot] = high;
      ids[2 * slot + 1] = low;
      used++;
    },
    clear() {
      tags.fill(0);
      used = 0;
    },
  };

  /** Its slot, or the empty slot where it would be. */
  function find(high: number, low: number): number {
    const tag = tagOf(high);
    let slot = placeOf(low, SLOT_BITS);
    for (;;) {
      const found = tags[slot];
      if (found === 0) return slot;
      if (found === tag && ids[2 * slot] === high && ids[2 * slot + 1] === low) return slot;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }
}

function tagOf(high: number): number {
  return high >>> TAG_SHIFT || NOT_EMPTY;
}
