import type { TailedFile } from './tail-folder.ts';

/** Tells whether somebody will still end the last line of a file. */
export type TornEnds = {
  /** Whether `file`, read up to byte `at`, has not grown for so long that what is behind it was torn off. */
  isTorn(file: TailedFile, at: number): boolean;
  retain(inodes: Set<string>): void;
};

type End = { at: number; bytes: number; since: number };

/** nginx writes a line in one go; only a disk that is full or slow parts it. */
const TORN_AFTER_MS = 10_000;

/**
 * A full disk takes a part of a line, and the rest never comes: waiting for it would keep the accounting waiting. By our own
 * clock, as the times of files may be those of another.
 */
export function createTornEnds(afterMs: number = TORN_AFTER_MS): TornEnds {
  const ends = new Map<string, End>();
  return {
    isTorn({ inode, bytes }, at) {
      const end = ends.get(inode);
      if (end?.at === at && end.bytes === bytes) return performance.now() - end.since > afterMs;
      ends.set(inode, { at, bytes, since: performance.now() });
      return false;
    },
    retain(inodes) {
      for (const inode of ends.keys()) if (!inodes.has(inode)) ends.delete(inode);
    },
  };
}
