/**
 * Which ids are being written just now, so that nobody writes them a second time meanwhile. An id is given as one word of its
 * `bitsOf`. Two batches of a thousand share one in vain once in four thousand times: then one waits for the other to be written.
 */
export type WritesUnderWay = {
  /** Settles, without rejecting, when a write ends that has one of `ids` in it; undefined when there is none. */
  sharing(ids: number[]): Promise<void> | undefined;
  /** Resolves and rejects as `write` does. */
  whileUnderWay<T>(ids: number[], write: Promise<T>): Promise<T>;
};

type Write = { ids: number[]; ended: Promise<void> };

/**
 * A line is sent twice where nginx did not wait for the answer: by a post and by a spill file, or by two posts of many.
 * One line is never posted twice by itself, so that those, of which there are most, need not be compared with each other.
 */
export function createWritesUnderWay(): WritesUnderWay {
  const single = new Map<number, Write>();
  const many = new Set<Write>();
  return {
    sharing(ids) {
      for (const write of many) if (intersect(write.ids, ids)) return write.ended;
      if (ids.length === 1 || single.size === 0) return undefined;
      for (const id of ids) if (single.has(id)) return single.get(id)?.ended;
      return undefined;
    },
    async whileUnderWay(ids, write) {
      const one = { ids, ended: write.then(nothing, nothing) };
      const [first = 0] = ids;
      if (ids.length === 1) single.set(first, one);
      else many.add(one);
      try {
        return await write;
      } finally {
        if (ids.length === 1) single.delete(first);
        else many.delete(one);
      }
    },
  };
}

function intersect(some: number[], others: number[]): boolean {
  if (others.length === 1) return some.includes(others[0] ?? 0);
  const known = new Set(some);
  return others.some((id) => known.has(id));
}

function nothing(): void {}
