// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isAhead } from './ahead.ts';
import { isPlainFile, isThere } from './plain-file.ts';
import { isShut } from './spill-gate.ts';
import { countersZone } from './zones.ts';

/** As nginx creates its own; the folder keeps them private. */
const FILE_MODE = 0o644;
/** When to retry a folder to which a write failed. */
const RETRY_MS = 5_000;
const SAY_MS = 60_000;

/**
 * Appends whole lines, each with its newline, to the spill file of the minute, a separate file from nginx's. Returns whether all of them
 * were written: false while the folder is full, and for five seconds after a failed write.
 */
export function spillLines(session: NginxPeriodicSession, body: string | Buffer): boolean {
  const counters = countersZone();
  if (!counters || isShut(counters) || isAhead(counters.get('spill_retry_at'), RETRY_MS)) return false;
  if (isThere(`${session.variables.hotitem_socket}.full`)) return false;
  const folder = session.variables.hotitem_spill_folder || '';
  const path = `${folder}/zone-${new Date().toISOString().slice(0, 16)}.tsv`;
  try {
    if (isThere(path) && !isPlainFile(path)) throw new Error(`${path} is not a file`);
    // A failed write may have left part of a line: a newline separates it, and an empty line does no harm.
    const torn = counters.get('spill_torn') !== undefined;
    if (torn) fs.appendFileSync(path, '\n', { mode: FILE_MODE });
    fs.appendFileSync(path, body, { mode: FILE_MODE });
    if (torn) counters.delete('spill_torn');
    return true;
  } catch (failure) {
    counters.set('spill_torn', 1);
    counters.set('spill_retry_at', Date.now() + RETRY_MS);
    complain(counters, failure as Error);
    return false;
  }
}

function complain(counters: NgxSharedDict<number>, failure: Error): void {
  if (isAhead(counters.get('spill_say_at'), SAY_MS)) return;
  counters.set('spill_say_at', Date.now() + SAY_MS);
  ngx.log(ngx.ERR, `hotitem: the zone cannot be spilled: ${failure}`);
}
