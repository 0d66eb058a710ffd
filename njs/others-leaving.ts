// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { LEAVING, titleOf, WORKER } from './leaving.ts';

/**
 * Whether another worker of this nginx is exiting, or is too starved to have noticed that it must exit. False if /proc does not tell: it may
 * be mounted with `hidepid`, and not every kernel lists children.
 */
export function othersLeaving(): boolean {
  const own = processOf('self');
  const children = contentOf(`/proc/${own.parent}/task/${own.parent}/children`).trim().split(' ');
  return children.some((pid) => pid !== own.pid && mustLeave(pid));
}

/** A starved worker has the title of one that a reload started. But the latter sleeps when it has nothing to do. */
function mustLeave(pid: string): boolean {
  const title = titleOf(pid);
  if (title.indexOf(WORKER) < 0) return false;
  return title.indexOf(LEAVING) >= 0 || processOf(pid).state !== 'S';
}

function processOf(pid: string): { pid: string; state: string; parent: string } {
  // Without the name, the second field, which may contain spaces.
  const fields = contentOf(`/proc/${pid}/stat`)
    .replace(/ \(.*\)/, '')
    .split(' ');
  return { pid: fields[0] || '', state: fields[1] || '', parent: fields[2] || '' };
}

function contentOf(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
