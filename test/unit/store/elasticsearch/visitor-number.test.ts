import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { visitorNumber } from '../../../../store/elasticsearch/visitor-number.ts';
import { anyText } from '../../../parts/any-text.ts';

test('is a number that JSON and Elasticsearch keep whole, and the same for the same text', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      const number = visitorNumber(text);
      expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
      expect(visitorNumber(text)).toBe(number);
    }),
  );
});

test('never changes: documents have it', () => {
  expect(['', '203.0.113.7 1a2b3c', '6f1c2a9e0b5d4738', 'é漢'].map(visitorNumber)).toEqual([
    8293447282621451, 2210856863014302, 4345932528558377, 1011276304985364,
  ]);
});

test.each([
  ['addresses', (i: number) => `10.0.${i >> 8}.${i & 255} 1a2b3c`],
  ['browsers behind an address', (i: number) => `203.0.113.7 ${i.toString(36)}`],
  ['hashed keys', (i: number) => i.toString(16).padStart(16, '0')],
])('tells neighboring %s apart, in every part of its bits', (_, text) => {
  const count = 65_536;
  const numbers = Array.from({ length: count }, (_, i) => visitorNumber(text(i)));
  expect(new Set(numbers).size).toBe(count);
  for (const part of [1, 2 ** 16, 2 ** 32, 2 ** 37]) {
    const seen = new Set(numbers.map((number) => Math.floor(number / part) % count)).size;
    // Of as many chances as there are values, 63 % are hit.
    expect(seen / count).toBeGreaterThan(0.62);
    expect(seen / count).toBeLessThan(0.645);
  }
});
