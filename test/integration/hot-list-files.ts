import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { periodOf } from '../../heat/hot-folder.ts';

/** Whether nginx finds the item in the folder of the hot list now, or in the period that just begins. */
export function isListed(folder: string, action: string, item: string): boolean {
  const period = periodOf(Date.now());
  return [period, period + 1].some((at) => existsSync(join(folder, `${at}`, action, `i.${item}`)));
}
