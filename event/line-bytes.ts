/*
 * Bytes of a line, looked at four at a time: a word holds the first of them in its highest byte where digits are read, and in its
 * lowest elsewhere. See "Determine if a word has a byte less than n", and "equal to n", in S. E. Anderson, Bit Twiddling Hacks.
 */

export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const QUESTION = 0x3f;
const NINE = 0x39;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 1 for printable ASCII that JSON writes as it is. */
export const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
/** Of these, for what means nothing special in a path. */
export const IS_PATH = IS_PLAIN.map((isPlain, byte) =>
  byte === QUESTION || byte === PERCENT || byte === HASH || byte === SLASH ? 0 : isPlain,
);

/** Whether one of the four bytes of a word is not plain: a control character, a quote, a backslash, DEL, or not ASCII. */
export function hasOdd(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const slashes = word ^ 0x5c5c5c5c;
  const found =
    word |
    (word + 0x01010101) |
    ((word - 0x20202020) & ~word) |
    ((quotes - 0x01010101) & ~quotes) |
    ((slashes - 0x01010101) & ~slashes);
  return (found & 0x80808080) !== 0;
}

/** Not 0 if one of the four bytes of a word is not a lower-case hexadecimal digit. Letters are first shifted to follow the nine. */
export function wrongDigits(word: number): number {
  const letters = (word >>> 6) & 0x01010101;
  const moved = word - Math.imul(letters, 0x61 - 0x3a);
  const fromTen = (((moved & 0x0f0f0f0f) + 0x06060606) >>> 4) & 0x01010101;
  return ((moved & 0xf0f0f0f0) ^ 0x30303030) | (fromTen ^ letters);
}

/** The number that four hexadecimal digits are, the first in the highest byte of the word. */
export function hexOf(word: number): number {
  const digits = (word & 0x0f0f0f0f) + Math.imul((word >>> 6) & 0x01010101, 9);
  const pairs = digits | (digits >>> 4);
  return ((pairs >>> 8) & 0xff00) | (pairs & 0xff);
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
