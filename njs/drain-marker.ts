// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isPlainFile } from './plain-file.ts';

/** Whether `hotitem nginx drain`, or a shell, has created a file named `drain` in the spill folder. */
export function drainAsked(session: NginxPeriodicSession): boolean {
  return isPlainFile(pathOf(session));
}

/** Removes the file, which says that the zone is empty. */
export function endDrain(session: NginxPeriodicSession): void {
  try {
    fs.unlinkSync(pathOf(session));
  } catch {
    // Another nginx that uses this folder was faster, or the drain was cancelled.
  }
}

function pathOf(session: NginxPeriodicSession): string {
  return `${session.variables.hotitem_spill_folder}/drain`;
}
