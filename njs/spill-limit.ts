// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isAhead } from './ahead.ts';
import { countersZone } from './zones.ts';

/** Below the limit: otherwise spilling would be switched on and off with each file. */
const ROOM_AGAIN = 0.9;
const BLOCK_BYTES = 512;
const SAY_MS = 60_000;

/**
 * Shuts the spill (spill-gate.ts) while its folder is full. The sidecar does the same with a file beside its socket, but the folder grows
 * while the sidecar is unavailable. Runs in one worker.
 */
export async function limitSpill(session: NginxPeriodicSession): Promise<void> {
  const counters = countersZone();
  if (!counters) return;
  const folder = session.variables.hotitem_spill_folder || '';
  const most = Number(session.variables.hotitem_spill_max_bytes);
  try {
    const names = fs.readdirSync(folder);
    const bytes = names.reduce((sum, name) => sum + diskBytesOf(`${folder}/${name}`), 0);
    if (bytes >= most && counters.add('spill_full', 1)) counters.incr('fulls', 1);
    if (bytes < most * ROOM_AGAIN) counters.delete('spill_full');
  } catch (failure) {
    // The worker may still be able to write to it.
    complain(counters, 'limit_say_at', `the limit of the spill folder cannot be enforced: ${failure}`);
  }
}

/**
 * Shuts the spill while the folder is missing or not writable: otherwise nginx logs an error for each view. The views are counted as
 * dropped. Checked once a second.
 */
export function barSpill(session: NginxPeriodicSession, counters: NgxSharedDict<number>): void {
  const folder = session.variables.hotitem_spill_folder || '';
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    counters.delete('spill_barred');
  } catch (failure) {
    counters.set('spill_barred', 1);
    const message = `views are dropped, because the spill folder is not writable: ${failure}`;
    complain(counters, 'barred_say_at', message);
  }
}

/** The disk usage of a file; 0 for one that was just removed, or is not a regular file. Holes take no space. */
function diskBytesOf(path: string): number {
  try {
    const found = fs.lstatSync(path);
    return found.isFile() ? Math.min(found.size, found.blocks * BLOCK_BYTES) : 0;
  } catch {
    return 0;
  }
}

/** Logs one line a minute. `key`: when the next one may be logged. */
function complain(counters: NgxSharedDict<number>, key: string, message: string): void {
  if (isAhead(counters.get(key), SAY_MS)) return;
  counters.set(key, Date.now() + SAY_MS);
  ngx.log(ngx.ERR, `hotitem: ${message}`);
}
