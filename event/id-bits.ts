/** Digits of an id that are the time. */
const TIME_DIGITS = 12;
const WORD_DIGITS = 8;
const NINE = 0x39;

/** 32 of the random bits in an event's id: the first (`word` 0), or those after (1). */
export function bitsOf(id: string, word: 0 | 1): number {
  // Digit by digit takes a fifth of the time that parseInt of a slice does.
  let value = 0;
  const from = TIME_DIGITS + word * WORD_DIGITS;
  for (let i = from; i < from + WORD_DIGITS; i++) {
    const code = id.charCodeAt(i);
    value = (value << 4) | (code <= NINE ? code & 0xf : (code & 0xf) + 9);
  }
  return value >>> 0;
}
