import { readFile } from 'node:fs/promises';
import { replaceFile } from '../../service/replace-file.ts';

/** How far a file has been ingested. */
export type Offset = {
  /** Bytes from its beginning. */
  at: number;
  /** Checksum of its first bytes: another file that got the same inode, or new content in the same file, differs here. */
  head: number;
};

/** Offsets by inode: they survive a rename of the file, and the process. */
export type Offsets = {
  get(inode: string): Offset | undefined;
  /** Kept in memory until `store`. */
  set(inode: string, offset: Offset): void;
  /** Forgets those that are missing here for the second time: a listing may miss a file that is just being renamed. */
  retain(inodes: Set<string>): void;
  /** Writes what has changed, whole or not at all. */
  store(): Promise<void>;
};

/** Of more files the first are forgotten, and read again. */
const MOST_OFFSETS = 200_000;

/**
 * A file that is missing or damaged counts as empty: everything is read again, and known by its ids. For the same
 * reason it is not forced to the disk, and may lag behind.
 */
export async function loadOffsets(path: string): Promise<Offsets> {
  const offsets = await load(path);
  const missing = new Set<string>();
  let changed = false;
  return {
    get: (inode) => offsets.get(inode),
    set(inode, offset) {
      offsets.set(inode, offset);
      const [first] = offsets.size > MOST_OFFSETS ? offsets.keys() : [];
      if (first !== undefined) offsets.delete(first);
      changed = true;
    },
    retain(inodes) {
      for (const inode of offsets.keys()) {
        if (inodes.has(inode)) missing.delete(inode);
        else if (!missing.has(inode)) missing.add(inode);
        else {
          missing.delete(inode);
          offsets.delete(inode);
          changed = true;
        }
      }
    },
    async store() {
      if (!changed) return;
      changed = false;
      try {
        await replaceFile(path, JSON.stringify([...offsets]));
      } catch (error) {
        changed = true;
        throw error;
      }
    },
  };
}

async function load(path: string): Promise<Map<string, Offset>> {
  try {
    const entries: unknown = JSON.parse(await readFile(path, 'utf8'));
    return new Map(Array.isArray(entries) ? entries.flatMap(toEntry) : []);
  } catch {
    return new Map();
  }
}

/** Earlier versions wrote the inode as a number. */
function toEntry(entry: unknown): [string, Offset][] {
  if (!Array.isArray(entry)) return [];
  const [inode, offset]: unknown[] = entry;
  const isInode = typeof inode === 'string' || Number.isSafeInteger(inode);
  return isInode && isOffset(offset) ? [[String(inode), offset]] : [];
}

function isOffset(value: unknown): value is Offset {
  if (typeof value !== 'object' || value === null) return false;
  const { at, head } = value as Partial<Record<keyof Offset, unknown>>;
  return Number.isSafeInteger(at) && Number(at) >= 0 && Number.isSafeInteger(head);
}
