// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { countersZone } from './zones.ts';

/** Not at the limit itself: spilling would be switched on and off with each file. */
const ROOM_AGAIN = 0.9;

/**
 * Keeps a file named `full` in the spill folder while it holds as much as it may; server.conf looks for it. The sidecar
 * does the same, but it is while the sidecar is away that the folder grows. Runs in one worker.
 */
export async function limitSpill(session: NginxPeriodicSession): Promise<void> {
  const folder = session.variables.hotitem_spill_folder || '';
  const most = Number(session.variables.hotitem_spill_max_bytes);
  const full = `${folder}/full`;
  try {
    const names = fs.readdirSync(folder);
    const isFull = names.indexOf('full') >= 0;
    const bytes = names.reduce((sum, name) => sum + sizeOf(`${folder}/${name}`), 0);
    if (!isFull && bytes >= most) {
      fs.writeFileSync(full, '');
      const counters = countersZone();
      if (counters) counters.incr('fulls', 1);
    }
    if (isFull && bytes < most * ROOM_AGAIN) fs.unlinkSync(full);
  } catch (failure) {
    ngx.log(ngx.WARN, `hotitem: the spill folder cannot be kept to its limit: ${failure}`);
  }
}

/** 0 for a file that the sidecar has just removed. */
function sizeOf(path: string): number {
  try {
    return fs.statSync(path).size;
  } catch {
    return 0;
  }
}
