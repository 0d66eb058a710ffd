import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { plainText } from '../../../service/plain-text.ts';
import { anyText } from '../../parts/any-text.ts';

describe('foreign text on a terminal', () => {
  test.each([
    ['plain text, caf\u00e9 \u{1f600}', 'plain text, caf\u00e9 \u{1f600}'],
    ['a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['\x1b[2J\x9b31m\x07', '\\x1b[2J\\x9b31m\\x07'],
    ['\u202egnp.exe\u200b', '\\u{202e}gnp.exe\\u{200b}'],
    ['\u2028\ufeff', '\\u{2028}\\u{feff}'],
    ['\ud800', '\\u{d800}'],
  ])('%j is shown as %j', (text, shown) => {
    expect(plainText(text)).toBe(shown);
  });

  test('is truncated to the limit', () => {
    expect(plainText('abcdef', 4)).toBe('abc…');
    fc.assert(
      fc.property(anyText(), fc.integer({ min: 1, max: 20 }), (text, most) => {
        const shown = plainText(text, most);
        expect(shown.length).toBeLessThanOrEqual(most);
        expect(shown).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
