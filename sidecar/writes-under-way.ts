/** Which ids are being written just now, so that nobody writes them a second time meanwhile. */
export type WritesUnderWay = {
  /** Settles, without rejecting, when a write ends that has one of `ids` in it; undefined when there is none. */
  sharing(ids: string[]): Promise<void> | undefined;
  /** Resolves and rejects as `write` does. */
  whileUnderWay<T>(ids: string[], write: Promise<T>): Promise<T>;
};

type Write = { ids: string[]; ended: Promise<void> };

/**
 * A line is sent twice where nginx did not wait for the answer: by a post and by a spill file, or by two posts of many.
 * One line is never posted twice by itself, so that those, of which there are most, need not be compared with each other.
 */
export function createWritesUnderWay(): WritesUnderWay {
  const single = new Map<string, Write>();
  const many = new Set<Write>();
  return {
    sharing(ids) {
      for (const write of many) if (intersect(write.ids, ids)) return write.ended;
      if (ids.length === 1 || single.size === 0) return undefined;
      return single.get(ids.find((id) => single.has(id)) ?? '')?.ended;
    },
    async whileUnderWay(ids, write) {
      const one = { ids, ended: write.then(nothing, nothing) };
      const [first = ''] = ids;
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

function intersect(some: string[], others: string[]): boolean {
  if (others.length === 1) return some.includes(others[0] ?? '');
  const known = new Set(some);
  return others.some((id) => known.has(id));
}

function nothing(): void {}
