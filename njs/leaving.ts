// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';

/**
 * The process title of this worker. njs does not tell a script that its worker exits, but nginx then changes the title to `nginx: worker
 * process is shutting down`. Empty if /proc is not mounted.
 */
export function workerTitle(): string {
  try {
    return fs.readFileSync('/proc/self/cmdline', 'utf8');
  } catch {
    return '';
  }
}

/** Whether this worker is exiting (quit, reload or upgrade): it ends when its requests, timers and posts are done. */
export function isLeaving(): boolean {
  return workerTitle().indexOf('is shutting down') >= 0;
}
