import { join } from 'node:path';
import { reasonOf } from '../../service/log.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { makeMarker, removeMarker } from './marker-file.ts';

export type SpillLimitOptions = {
  dir: string;
  maxBytes: number;
  /** The intake socket. */
  socket: string;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
};

/** Called with the disk usage of the folder. Never rejects: emptying the folder must not depend on a marker. */
export type SpillLimit = (bytes: number) => Promise<void>;

/** Below the limit: otherwise nginx would be switched on and off with each file. */
const ROOM_AGAIN = 0.9;

/**
 * Maintains a marker file while the folder uses `maxBytes` of the disk or more, until a tenth of that is free again. nginx checks for it
 * and stops spilling: the shop's disk has priority. The marker remains when the sidecar stops.
 *
 * It is beside the socket, with the name of the socket and `.full`: nginx's workers can reach that folder but cannot write to it. Includes
 * of earlier versions check for a file `full` in the spill folder, which the workers own; it is maintained as well.
 */
export function createSpillLimit({ dir, maxBytes, socket, metrics, warn }: SpillLimitOptions): SpillLimit {
  const gauge = metrics.of('spill_full');
  const markers = [`${socket}.full`, join(dir, 'full')];
  let full = false;
  return async (bytes) => {
    full = bytes >= (full ? maxBytes * ROOM_AGAIN : maxBytes);
    if (full) warn('spill full', 'the spill folder is full, nginx drops what it would spill', { dir, bytes });
    const told = await Promise.all(markers.map(tell));
    // Full, or nginx believes so.
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
