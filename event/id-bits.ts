/** Digits of an id that are the time. */
const TIME_DIGITS = 12;
const WORD_DIGITS = 8;
const NINE = 0x39;

/*
 * 64 of the random bits in an event's id, as two numbers of 32 bits: `word` 0 is the first, 1 the second. They are signed, because V8
 * stores such numbers without an allocation.
 */

export function bitsOf(id: string, word: 0 | 1): number {
  // Digit by digit takes a fifth of the time that parseInt of a slice does.
  let value = 0;
  const from = TIME_DIGITS + word * WORD_DIGITS;
  for (let i = from; i < from + WORD_DIGITS; i++) value = (value << 4) | worthOf(id.charCodeAt(i));
  return value;
}

function worthOf(digit: number): number {
  return digit <= NINE ? digit & 0xf : (digit & 0xf) + 9;
}
