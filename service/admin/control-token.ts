import { createHash, timingSafeEqual } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { foreignOwner } from '../ownership.ts';

/** 32 bytes in base64url; in hexadecimal they are longer. */
export const SHORTEST_TOKEN = 43;
const LONGEST_FILE = 4096;
/** 32 random bytes have more, however they are written. */
const FEWEST_CHARACTERS = 10;
const FOR_OTHERS = 0o077;

/**
 * Reads the token that allows control. Throws an `Error` that says what is wrong with the file, and never shows its content: others must
 * not be able to read it, and it must look like at least 32 random bytes.
 */
export function readControlToken(path: string, uid: number): string {
  // Opening a FIFO would block.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const file = fstatSync(fd);
    if (!file.isFile()) throw new Error('is not a regular file');
    const owner = foreignOwner(file, uid);
    if (owner !== undefined) throw new Error(owner);
    if ((file.mode & FOR_OTHERS) !== 0)
      throw new Error(`must have mode 0600, for its owner only (got 0${(file.mode & 0o777).toString(8)})`);
    if (file.size > LONGEST_FILE) throw new Error('is too large for a token');
    return checked(readFileSync(fd, 'utf8').trim());
  } finally {
    closeSync(fd);
  }
}

/** Whether `given` is the token. Compares hashes, so that the time tells nothing about either. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(hashOf(given), hashOf(token));
}

function checked(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('must hold one token of printable ASCII');
  if (token.length < SHORTEST_TOKEN || new Set(token).size < FEWEST_CHARACTERS)
    throw new Error('must hold at least 32 random bytes, as hotitem control token makes them');
  return token;
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
