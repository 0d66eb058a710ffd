import { readFile } from 'node:fs/promises';
import { replaceFile } from '../../service/replace-file.ts';

/** How far a file has been ingested. */
export type Offset = {
  /** Bytes from its beginning. */
  at: number;
  /** Checksum of its first bytes: it differs for another file with the same inode, or for new content. */
  head: number;
};

/** Offsets by inode: they survive renaming and a restart. */
export type Offsets = {
  get(inode: string): Offset | undefined;
  /** Kept in memory until `store`. */
  set(inode: string, offset: Offset): void;
  /** Drops entries that are missing for the second time: a listing may miss a file that is being renamed. */
  retain(inodes: Set<string>): void;
  /** Writes changes atomically. */
  store(): Promise<void>;
};

/** If there are more files, the oldest entries are dropped, and those files are read again. */
const MOST_OFFSETS = 200_000;

/**
 * A missing or damaged file counts as empty: everything is read again, and recognized by its ids. For the same reason it is not fsynced,
 * and may lag behind.
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
