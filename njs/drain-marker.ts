// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isPlainFile } from './plain-file.ts';

/** Whether `hotitem nginx drain`, or a shell, has created a file named `drain` in the spill folder. */
export function drainAsked(session: NginxPeriodicSession): boolean {
  return isPlainFile(pathOf(session));
}

/** Tells them that the zone is empty: the file is gone. */
export function endDrain(session: NginxPeriodicSession): void {
  try {
    fs.unlinkSync(pathOf(session));
  } catch {
    // Another nginx on this folder was faster, or the drain was given up.
  }
}

function pathOf(session: NginxPeriodicSession): string {
  return `${session.variables.hotitem_spill_folder}/drain`;
}
