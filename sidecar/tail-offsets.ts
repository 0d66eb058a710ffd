import { readFile, rename, writeFile } from 'node:fs/promises';

/** How many bytes of each file (`device:inode`) were taken in. Survives a rename of the file, and of the process. */
export type Offsets = {
  get(key: string): number;
  set(key: string, offset: number): Promise<void>;
  forget(key: string): Promise<void>;
};

/** A file that is missing or damaged counts as empty: everything is read again, and known by its ids. */
export async function loadOffsets(path: string): Promise<Offsets> {
  const offsets = new Map<string, number>(await load(path));
  return {
    get: (key) => offsets.get(key) ?? 0,
    set(key, offset) {
      offsets.set(key, offset);
      return store();
    },
    forget(key) {
      offsets.delete(key);
      return store();
    },
  };

  async function store(): Promise<void> {
    await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(offsets)), { mode: 0o640 });
    await rename(`${path}.new`, path);
  }
}

async function load(path: string): Promise<[string, number][]> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]));
  } catch {
    return [];
  }
}
