import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSequenceGaps } from '../../../reconcile/gaps.ts';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const EARLIER = NOW - 10 * MINUTE;
const ALL = { since: 0, until: NOW };

describe('the sequences of a spool', () => {
  test('have no gap when each came, in whatever order and however often', () => {
    expect(gaps([5, 3, 4, 4, 6, 7, 3])).toEqual([]);
  });

  test('have one wherever some between those seen did not come', () => {
    expect(gaps([1, 2, 5, 7])).toEqual([
      { node: 'web-1', boot: 'b1', first: 3, last: 4 },
      { node: 'web-1', boot: 'b1', first: 6, last: 6 },
    ]);
  });

  test('are those of one spool: another node, or another boot, has its own', () => {
    const found = createSequenceGaps();
    found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, EARLIER);
    found.add({ node: 'web-1', boot: 'b2', sequence: 2 }, EARLIER);
    found.add({ node: 'web-2', boot: 'b1', sequence: 3 }, EARLIER);
    expect(found.find(ALL)).toEqual([]);
  });

  test('are missing over a length of many chunks at the price of one', () => {
    expect(gaps([10, 70_000_000_000])).toEqual([
      { node: 'web-1', boot: 'b1', first: 11, last: 69_999_999_999 },
    ]);
  });

  test('are missing up to the last sequence that a record can name, and nobody looks at each', () => {
    expect(gaps([10, 999_999_999_999_999])).toEqual([
      { node: 'web-1', boot: 'b1', first: 11, last: 999_999_999_999_998 },
    ]);
  });

  test('may come in each minute of months', () => {
    const found = createSequenceGaps();
    for (let i = 0; i < 150_000; i++) found.add({ node: 'web-1', boot: 'b1', sequence: i + 1 }, i * MINUTE);
    expect(found.find({ since: 0, until: 200_000 * MINUTE })).toEqual([]);
  });

  test('that say more minutes than are remembered give no answer', () => {
    const found = createSequenceGaps();
    for (let i = 0; i < 600_001; i++) found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, i * MINUTE);
    expect(found.find(ALL)).toBeUndefined();
  });

  test('just received may still have neighbours on their way', () => {
    const found = createSequenceGaps();
    found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, EARLIER);
    found.add({ node: 'web-1', boot: 'b1', sequence: 3 }, NOW - 1_000);
    expect(found.find(ALL)).toEqual([]);
    expect(found.find({ since: 0, until: NOW + 2 * MINUTE })).toMatchObject([{ first: 2, last: 2 }]);
  });

  test('received when the reading began may have neighbours before it', () => {
    const found = createSequenceGaps();
    found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, EARLIER);
    for (const sequence of [3, 5]) found.add({ node: 'web-1', boot: 'b1', sequence }, EARLIER + 2 * MINUTE);
    expect(found.find({ since: EARLIER, until: NOW })).toMatchObject([{ first: 4, last: 4 }]);
  });

  test('that are too scattered to remember give no answer rather than a wrong one', () => {
    const found = createSequenceGaps();
    for (let i = 0; i < 4_097; i++) found.add({ node: 'web-1', boot: 'b1', sequence: i * 65_536 }, EARLIER);
    expect(found.find(ALL)).toBeUndefined();
  });

  test('have the gaps that are found by looking at each, whatever came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 65_500, max: 65_600 }), { minLength: 1 }), (came) => {
        const missing = gaps(came)?.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        const low = Math.min(...came);
        const all = Array.from({ length: Math.max(...came) - low + 1 }, (_, i) => low + i);
        expect(missing).toEqual(all.filter((sequence) => !came.includes(sequence)));
      }),
    );
  });

  function gaps(sequences: number[]) {
    const found = createSequenceGaps();
    for (const sequence of sequences) found.add({ node: 'web-1', boot: 'b1', sequence }, EARLIER);
    return found.find(ALL);
  }
});
