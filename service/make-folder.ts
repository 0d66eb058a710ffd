import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Others may use a parent folder: they need access. */
const ABOVE = 0o755;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Numbers; -1: unchanged. */
export type Owner = { uid: number; gid: number };

/**
 * Creates a folder with these permissions, whatever the umask, for `owner` if given, and missing parents that everybody can traverse.
 * Returns whether it was missing; an existing one is not changed. Throws file system errors, and then leaves no folder.
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

/** Not by its path again: it could be a link by now. */
function open(path: string, mode: number, owner?: Owner): void {
  const folder = openSync(path, FOLDER);
  try {
    if (owner !== undefined) fchownSync(folder, owner.uid, owner.gid);
    fchmodSync(folder, mode);
  } finally {
    closeSync(folder);
  }
}
