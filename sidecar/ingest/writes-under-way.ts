import { placeOf } from './place-of.ts';

/**
 * The ids that are being written, so that they are not written twice at once. An id is given as one word of its `bitsOf`. Two batches of a
 * thousand ids collide by chance once in four thousand times: then one waits for the other.
 */
export type WritesUnderWay = {
  /** Settles, without rejecting, when a write that contains one of `ids` ends; undefined if there is none. */
  sharing(ids: number[]): Promise<void> | undefined;
  /** Resolves and rejects as `write` does. */
  whileUnderWay<T>(ids: number[], write: Promise<T>): Promise<T>;
};

/** Zero marks an empty slot; an id of zero is stored as this. */
const NOT_EMPTY = 1;

type Write = { has: (id: number) => boolean; ended: Promise<void> };

/**
 * A line is sent twice if nginx did not wait for the answer: by a post and by a spill file, or by two posts. Each may have it alone, or
 * among others.
 */
export function createWritesUnderWay(): WritesUnderWay {
  const single = new Map<number, Promise<void>>();
  const many = new Set<Write>();
  return {
    sharing(ids) {
      for (const write of many) if (ids.some(write.has)) return write.ended;
      if (single.size === 0) return undefined;
      for (const id of ids) {
        const ended = single.get(id);
        if (ended !== undefined) return ended;
      }
      return undefined;
    },
    async whileUnderWay(ids, write) {
      const [first = 0] = ids;
      const ended = write.then(nothing, nothing);
      if (ids.length === 1) single.set(first, ended);
      else {
        const one: Write = { has: createIdSet(ids), ended };
        many.add(one);
        void ended.then(() => many.delete(one));
      }
      try {
        return await write;
      } finally {
        if (ids.length === 1) single.delete(first);
      }
    },
  };
}

/**
 * Whether an id is one of `ids`. An open-addressing table of numbers: creating a `Set` of a thousand takes ten times as long. It is created
 * when it is first asked: only a call that comes before the write ends asks.
 */
function createIdSet(ids: number[]): (id: number) => boolean {
  const bits = Math.ceil(Math.log2(2 * ids.length));
  let slots: Int32Array | undefined;
  return (id) => {
    slots ??= filled();
    return slots[slotOf(slots, id || NOT_EMPTY)] !== 0;
  };

  function filled(): Int32Array {
    const table = new Int32Array(2 ** bits);
    for (const id of ids) table[slotOf(table, id || NOT_EMPTY)] = id || NOT_EMPTY;
    return table;
  }

  /** Its slot, or the slot where it would be. */
  function slotOf(table: Int32Array, id: number): number {
    let slot = placeOf(id, bits);
    while (table[slot] !== 0 && table[slot] !== id) slot = (slot + 1) & (table.length - 1);
    return slot;
  }
}

function nothing(): void {}
