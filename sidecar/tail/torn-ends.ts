/** Detects last lines of files that will not be completed. */
export type TornEnds = {
  /** Whether the text after byte `at` has been incomplete for so long that it counts as torn. Must be called whenever it is incomplete. */
  isTorn(inode: string, at: number): boolean;
  /** Whether it was incomplete at the last call. */
  isEndless(inode: string, at: number): boolean;
  retain(inodes: Set<string>): void;
};

type End = { at: number; since: number };

/** nginx writes a line at once; only a full or slow disk splits it. */
const TORN_AFTER_MS = 10_000;

/**
 * A full disk writes part of a line, and the rest never comes: waiting for it would block the accounting. Timed by our own clock, because
 * timestamps of files may come from another. Growth does not matter: in that case something other than nginx is writing.
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
