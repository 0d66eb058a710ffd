// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isPlainFile } from './plain-file.ts';

/** Whether somebody, `hotitem nginx drain` or a shell, has put a file named `drain` into the spill folder. */
export function drainAsked(session: NginxPeriodicSession): boolean {
  return isPlainFile(pathOf(session));
}

/** Tells them that the zone is empty: the file is gone. */
export function endDrain(session: NginxPeriodicSession): void {
  try {
    fs.unlinkSync(pathOf(session));
  } catch {
    // Another nginx on this folder was faster, or whoever asked no longer waits.
  }
}

function pathOf(session: NginxPeriodicSession): string {
  return `${session.variables.hotitem_spill_folder}/drain`;
}
