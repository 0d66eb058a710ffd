import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Above a folder of ours lie others' as well: they must get through. */
const ABOVE = 0o755;

/**
 * Makes a folder with these permissions, whatever the umask, and what is missing above it for everybody to pass through.
 * Returns whether it was missing; one that is there is left as it is.
 */
export function makeFolder(path: string, mode: number): boolean {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return false;
  for (let at = dirname(resolve(path)); at.length >= first.length; at = dirname(at)) chmodSync(at, ABOVE);
  chmodSync(path, mode);
  return true;
}
