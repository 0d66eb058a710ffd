import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder for what cannot be decoded, for people to look at. It is limited: the first ones show the cause. */
export type Quarantine = {
  /** Keeps a copy as file `name`. Resolves with its path; rejects where there is no room, or none can be written. */
  keep(name: string, bytes: Buffer): Promise<string>;
};

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1000;

/** The folder is made when it is first needed, and may hold `MAX_BYTES`, in `MAX_FILES` files. */
export function createQuarantine(dir: string): Quarantine {
  return {
    async keep(name, bytes) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const path = join(dir, name);
      const others = (await readdir(dir)).filter((other) => other !== name);
      const sizes = await Promise.all(others.map(async (other) => (await stat(join(dir, other))).size));
      const used = sizes.reduce((sum, size) => sum + size, 0);
      if (used + bytes.length > MAX_BYTES || others.length >= MAX_FILES)
        throw new Error(`${dir} is full: its limit is ${MAX_BYTES} bytes in ${MAX_FILES} files`);
      await writeFile(path, bytes, { mode: 0o600 });
      return path;
    },
  };
}
