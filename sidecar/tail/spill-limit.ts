import { join } from 'node:path';
import { reasonOf } from '../../service/log.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { makeMarker, removeMarker } from './marker-file.ts';

export type SpillLimitOptions = {
  dir: string;
  maxBytes: number;
  /** The socket of the intake. */
  socket: string;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
};

/** Told how many bytes the folder takes of the disk. Never rejects: emptying the folder must not wait for a marker. */
export type SpillLimit = (bytes: number) => Promise<void>;

/** Not at the limit itself: nginx would be switched on and off with each file. */
const ROOM_AGAIN = 0.9;

/**
 * Keeps a marker while the folder takes `maxBytes` of the disk or more, until a tenth of them is free again. nginx looks for it and
 * writes no more: the shop's disk comes first. It stays when the sidecar stops.
 *
 * It lies beside the socket, named as that is with `.full` behind: nginx's workers must reach that folder and cannot write to
 * it. Includes of earlier versions look for a file `full` in the spill folder, which belongs to the workers: it is kept as well.
 */
export function createSpillLimit({ dir, maxBytes, socket, metrics, warn }: SpillLimitOptions): SpillLimit {
  const gauge = metrics.of('spill_full');
  const markers = [`${socket}.full`, join(dir, 'full')];
  let full = false;
  return async (bytes) => {
    full = bytes >= (full ? maxBytes * ROOM_AGAIN : maxBytes);
    if (full) warn('spill full', 'the spill folder is full, nginx drops what it would spill', { dir, bytes });
    const told = await Promise.all(markers.map(tell));
    // Full, or nginx takes it for full.
    gauge.set(full || told.includes(false) ? 1 : 0);
  };

  async function tell(path: string): Promise<boolean> {
    try {
      await (full ? makeMarker(path) : removeMarker(path));
      return true;
    } catch (error) {
      warn('spill marker', `cannot ${full ? 'create' : 'remove'} the file that tells nginx`, {
        reason: reasonOf(error),
        path,
      });
      return false;
    }
  }
}
