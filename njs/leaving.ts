// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';

/**
 * The title of this worker process. njs does not tell a script that its worker exits, but nginx changes the title then, to
 * `nginx: worker process is shutting down`. Empty where no /proc is mounted.
 */
export function workerTitle(): string {
  try {
    return fs.readFileSync('/proc/self/cmdline', 'utf8');
  } catch {
    return '';
  }
}

/** Whether nginx quits, reloads or is upgraded, and this worker exits when its requests, timers and posts are done. */
export function isLeaving(): boolean {
  return workerTitle().indexOf('is shutting down') >= 0;
}
