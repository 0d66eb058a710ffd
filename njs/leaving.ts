// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';

/** In the process title of each worker, and of one that is exiting. */
export const WORKER = 'nginx: worker process';
export const LEAVING = 'is shutting down';

/**
 * The process title of this worker. njs does not tell a script that its worker exits, but nginx then changes the title to `nginx: worker
 * process is shutting down`. Empty if /proc is not mounted.
 */
export function workerTitle(): string {
  return titleOf('self');
}

/** Of a process by its id. Empty if it has exited, or if /proc is not mounted. */
export function titleOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Whether this worker is exiting (quit, reload or upgrade): it ends when its requests, timers and posts are done. */
export function isLeaving(): boolean {
  return workerTitle().indexOf(LEAVING) >= 0;
}
