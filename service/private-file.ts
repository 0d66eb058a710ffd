import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { foreignOwner } from './ownership.ts';

export type PrivateFile = {
  /** Bits of the mode that it must not have. */
  forOthers: number;
  /** Its owner must be this user, or root. */
  uid: number;
  /** The mode to set: for the message. */
  fix: string;
};

const LONGEST_FILE = 4096;

/**
 * The text of a small file with a secret. Throws an `Error` that says what is wrong with the file, and never shows its content: it must be a
 * regular file, its owner must be root or `uid`, and others must have no rights.
 */
export function readPrivateFile(path: string, { forOthers, uid, fix }: PrivateFile): string {
  // Opening a FIFO would block.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const file = fstatSync(fd);
    if (!file.isFile()) throw new Error('is not a regular file');
    const owner = foreignOwner(file, uid);
    if (owner !== undefined) throw new Error(owner);
    if ((file.mode & forOthers) !== 0)
      throw new Error(`${fix} (got 0${(file.mode & 0o777).toString(8).padStart(3, '0')})`);
    if (file.size > LONGEST_FILE) throw new Error(`is too large: more than ${LONGEST_FILE} bytes`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
