import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Above a folder of ours lie others' as well: they must get through. */
const ABOVE = 0o755;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Numbers; -1: as it is. */
export type Owner = { uid: number; gid: number };

/**
 * Makes a folder with these permissions, whatever the umask, for `owner` where one is named, and what is missing above it for
 * everybody to pass through. Returns whether it was missing; one that is there is left as it is. Throws what the file system says,
 * and leaves no folder then.
 */
export function makeFolder(path: string, mode: number, owner?: Owner): boolean {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return false;
  const whole = resolve(path);
  try {
    open(whole, mode, owner);
  } catch (error) {
    rmdirSync(whole);
    throw error;
  }
  for (let at = dirname(whole); at.length >= first.length; at = dirname(at)) open(at, ABOVE);
  return true;
}

/** Not by its path again: a link could lie there by now. */
function open(path: string, mode: number, owner?: Owner): void {
  const folder = openSync(path, FOLDER);
  try {
    if (owner !== undefined) fchownSync(folder, owner.uid, owner.gid);
    fchmodSync(folder, mode);
  } finally {
    closeSync(folder);
  }
}
