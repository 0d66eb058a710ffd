import { type FileHandle, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from './segments.ts';

export type Damaged = { file: FileHandle; segment: number; offset: number; end: number };

/** Copies damaged bytes for inspection. Resolves with whether that worked. */
export type Quarantine = (damaged: Damaged) => Promise<boolean>;

const MAX_PIECE_BYTES = 2 * 1024 * 1024;
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * One file per damaged place, `SEGMENT.OFFSET`, with its first 2 MiB; 32 MiB in total. If the folder cannot be used, nothing is copied: the
 * spool opens all the same.
 */
export async function openQuarantine(dir: string): Promise<Quarantine> {
  let bytes = await prepare(dir).catch(() => MAX_BYTES);

  return async ({ file, segment, offset, end }) => {
    const length = Math.min(end - offset, MAX_PIECE_BYTES);
    if (bytes + length > MAX_BYTES) return false;
    bytes += length;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      await writeFile(join(dir, `${segmentName(segment)}.${offset}`), buffer.subarray(0, bytesRead), {
        mode: 0o640,
      });
      return true;
    } catch {
      // It is only a copy for people; the loss is counted in any case.
      return false;
    }
  };
}

/** The number of bytes in it. Files may be removed at any time. */
async function prepare(dir: string): Promise<number> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const sizes = (await readdir(dir)).map((name) =>
    stat(join(dir, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
