import fc, { type StringConstraints } from 'fast-check';

const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;
const LAST = 0x10ffff;

const character = fc.nat(LAST - SURROGATES).map(characterOf, indexOf);

/**
 * Text of all characters of Unicode: the same as `fc.string({ unit: 'binary' })`, which makes a table of all 1.1 million of them in each
 * suite. That takes 1.3 s of CPU and 120 MB.
 */
export function anyText(constraints: Omit<StringConstraints, 'unit'> = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: character });
}

function characterOf(index: number): string {
  return String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES);
}

/** fast-check calls it with any value, and expects an error for what is no character. */
function indexOf(value: unknown): number {
  const code = typeof value === 'string' ? value.codePointAt(0) : undefined;
  if (code === undefined || String.fromCodePoint(code) !== value) throw new Error('not one character');
  return code < FIRST_SURROGATE ? code : code - SURROGATES;
}
