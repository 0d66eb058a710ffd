/** Tells whether the last line of a file may still be finished. */
export type TornEnds = {
  /** Whether the text after byte `at` has been unfinished for so long that it counts as torn. Called whenever it is unfinished. */
  isTorn(inode: string, at: number): boolean;
  /** Whether it had no end when that was asked last. */
  isEndless(inode: string, at: number): boolean;
  retain(inodes: Set<string>): void;
};

type End = { at: number; since: number };

/** nginx writes a line in one go; only a disk that is full or slow parts it. */
const TORN_AFTER_MS = 10_000;

/**
 * A full disk takes a part of a line, and the rest never comes: waiting for it would keep the accounting waiting. By our own
 * clock, as the times of files may be those of another; and whether it grows or not, for then somebody else is writing.
 */
export function createTornEnds(afterMs: number = TORN_AFTER_MS): TornEnds {
  const ends = new Map<string, End>();
  return {
    isTorn(inode, at) {
      const end = ends.get(inode);
      if (end?.at === at) return performance.now() - end.since > afterMs;
      ends.set(inode, { at, since: performance.now() });
      return false;
    },
    isEndless: (inode, at) => ends.get(inode)?.at === at,
    retain(inodes) {
      for (const inode of ends.keys()) if (!inodes.has(inode)) ends.delete(inode);
    },
  };
}
