import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';

export type SpillLimitOptions = {
  dir: string;
  maxBytes: number;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
};

/** Told how many bytes the folder holds. Never rejects: whoever empties the folder must not wait for the file. */
export type SpillLimit = (bytes: number) => Promise<void>;

/** Not at the limit itself: nginx would be switched on and off with each file. */
const ROOM_AGAIN = 0.9;

/**
 * Keeps a file named `full` in the folder while it holds `maxBytes` or more, until a tenth of them is free again. nginx looks
 * for it and writes no more: the shop's disk comes first. It stays when the sidecar stops.
 */
export function createSpillLimit({ dir, maxBytes, metrics, warn }: SpillLimitOptions): SpillLimit {
  const gauge = metrics.of('spill_full');
  const path = join(dir, 'full');
  let full = false;
  return async (bytes) => {
    full = bytes >= (full ? maxBytes * ROOM_AGAIN : maxBytes);
    if (full) warn('spill full', 'the spill folder is full, nginx drops what it would spill', { dir, bytes });
    try {
      if (full) await writeFile(path, '');
      else await rm(path, { force: true });
      gauge.set(full ? 1 : 0);
    } catch (error) {
      // Full, or nginx takes it for full.
      gauge.set(1);
      warn('spill marker', `cannot ${full ? 'make' : 'remove'} the file that tells nginx so`, {
        reason: reasonOf(error),
        path,
      });
    }
  };
}
