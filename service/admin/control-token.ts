import { createHash, timingSafeEqual } from 'node:crypto';
import { readPrivateFile } from '../private-file.ts';

/** 32 bytes in base64url; in hexadecimal they are longer. */
const SHORTEST_TOKEN = 43;
/** 32 random bytes have more, however they are written. */
const FEWEST_CHARACTERS = 10;
const FOR_OTHERS = 0o077;

/**
 * Reads the token that allows control. Throws an `Error` that says what is wrong with the file, and never shows its content: others must
 * not be able to read it, and it must look like at least 32 random bytes.
 */
export function readControlToken(path: string, uid: number): string {
  const fix = 'must have mode 0600, for its owner only';
  return checked(readPrivateFile(path, { forOthers: FOR_OTHERS, uid, fix }).trim());
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
