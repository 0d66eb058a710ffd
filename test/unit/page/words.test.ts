import { describe, expect, test } from '@jest/globals';
import { percent, shortTime } from '../../../page/words.ts';

const share = new Intl.NumberFormat(undefined, { style: 'percent' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });

describe('the words of the live page', () => {
  test.each([
    [0, share.format(0)],
    [0.002, `<${share.format(0.01)}`],
    [0.01, share.format(0.01)],
    [0.5, share.format(0.5)],
    [0.99, share.format(0.99)],
    [0.998, `>${share.format(0.99)}`],
    [1, share.format(1)],
  ])('a share of %d is neither nothing nor all where it is not', (part, text) => {
    expect(percent(part)).toBe(text);
  });

  test('a time of an axis is written alike with a day before it and without', () => {
    const [first, second] = [
      new Date(2026, 10, 27, 8, 40).getTime(),
      new Date(2026, 10, 27, 8, 45).getTime(),
    ];
    expect(shortTime(second, first, false)).toBe(clock.format(second));
    expect(shortTime(first, undefined, false)).toMatch(new RegExp(` ${clock.format(first)}$`));
  });
});
