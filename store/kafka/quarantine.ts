import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder for batches that cannot be decoded, for inspection. Its size is limited: the first ones show the cause. */
export type Quarantine = {
  /** Stores a copy as file `name`. Resolves with its path; rejects if there is no space, or writing fails. */
  keep(name: string, bytes: Buffer): Promise<string>;
};

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1000;

/** The folder is created on first use, and may hold `MAX_BYTES` in `MAX_FILES` files. */
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
