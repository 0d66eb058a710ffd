// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isAhead } from './ahead.ts';
import { countersZone } from './zones.ts';

/** Not at the limit itself: spilling would be switched on and off with each file. */
const ROOM_AGAIN = 0.9;
const BLOCK_BYTES = 512;
const SAY_MS = 60_000;

/**
 * Shuts the spill (spill-gate.ts) while its folder takes as much of the disk as it may. The sidecar does the same by a file beside
 * its socket, but it is while the sidecar is unavailable that the folder grows. Runs in one worker.
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
    // The worker may write to it all the same.
    complain(counters, `the limit of the spill folder cannot be enforced: ${failure}`);
  }
}

/**
 * Disables spilling while the folder is missing or not writable: nginx would log an error for each view.
 * The views are then counted as dropped. Once a second, and with one line a minute.
 */
export function barSpill(session: NginxPeriodicSession, counters: NgxSharedDict<number>): void {
  const folder = session.variables.hotitem_spill_folder || '';
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    counters.delete('spill_barred');
  } catch (failure) {
    counters.set('spill_barred', 1);
    complain(counters, `views are dropped, because the spill folder is not writable: ${failure}`);
  }
}

/** 0 for a file that the sidecar has just removed, and for what is none. Holes take no room. */
function diskBytesOf(path: string): number {
  try {
    const found = fs.lstatSync(path);
    return found.isFile() ? Math.min(found.size, found.blocks * BLOCK_BYTES) : 0;
  } catch {
    return 0;
  }
}

function complain(counters: NgxSharedDict<number>, message: string): void {
  if (isAhead(counters.get('limit_say_at'), SAY_MS)) return;
  counters.set('limit_say_at', Date.now() + SAY_MS);
  ngx.log(ngx.ERR, `hotitem: ${message}`);
}
