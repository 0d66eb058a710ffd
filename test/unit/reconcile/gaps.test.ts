import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSequenceGaps } from '../../../reconcile/gaps.ts';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const EARLIER = NOW - 10 * MINUTE;
const ALL = { since: 0, until: NOW };

describe('the sequences of a spool', () => {
  test('have no gap if each arrived, in any order and however often', () => {
    expect(gaps([5, 3, 4, 4, 6, 7, 3])).toEqual([]);
  });

  test('have a gap between two that arrived if some did not', () => {
    expect(gaps([1, 2, 5, 7])).toEqual([
      { node: 'web-1', boot: 'b1', first: 3, last: 4 },
      { node: 'web-1', boot: 'b1', first: 6, last: 6 },
    ]);
  });

  test('belong to one spool: each node and each boot has its own', () => {
    const found = createSequenceGaps();
    found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, EARLIER);
    found.add({ node: 'web-1', boot: 'b2', sequence: 2 }, EARLIER);
    found.add({ node: 'web-2', boot: 'b1', sequence: 3 }, EARLIER);
    expect(found.find(ALL)).toEqual([]);
  });

  test('may be missing over many chunks at the cost of one', () => {
    expect(gaps([10, 70_000_000_000])).toEqual([
      { node: 'web-1', boot: 'b1', first: 11, last: 69_999_999_999 },
    ]);
  });

  test('may be missing up to the highest sequence, without looking at each', () => {
    expect(gaps([10, 999_999_999_999_999])).toEqual([
      { node: 'web-1', boot: 'b1', first: 11, last: 999_999_999_999_998 },
    ]);
  });

  test('may arrive in each minute of several months', () => {
    const found = createSequenceGaps();
    for (let i = 0; i < 150_000; i++) found.add({ node: 'web-1', boot: 'b1', sequence: i + 1 }, i * MINUTE);
    expect(found.find({ since: 0, until: 200_000 * MINUTE })).toEqual([]);
  });

  test('over more minutes than are remembered give no answer', () => {
    const found = createSequenceGaps();
    for (let i = 0; i < 600_001; i++) found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, i * MINUTE);
    expect(found.find(ALL)).toBeUndefined();
  });

  test('just received may have neighbours that have not arrived yet', () => {
    const found = createSequenceGaps();
    found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, EARLIER);
    found.add({ node: 'web-1', boot: 'b1', sequence: 3 }, NOW - 1_000);
    expect(found.find(ALL)).toEqual([]);
    expect(found.find({ since: 0, until: NOW + 2 * MINUTE })).toMatchObject([{ first: 2, last: 2 }]);
  });

  test('received when reading began may have neighbours before it', () => {
    const found = createSequenceGaps();
    found.add({ node: 'web-1', boot: 'b1', sequence: 1 }, EARLIER);
    for (const sequence of [3, 5]) found.add({ node: 'web-1', boot: 'b1', sequence }, EARLIER + 2 * MINUTE);
    expect(found.find({ since: EARLIER, until: NOW })).toMatchObject([{ first: 4, last: 4 }]);
  });

  test('that are too scattered to remember give no answer instead of a wrong one', () => {
    const found = createSequenceGaps();
    for (let i = 0; i < 4_097; i++) found.add({ node: 'web-1', boot: 'b1', sequence: i * 65_536 }, EARLIER);
    expect(found.find(ALL)).toBeUndefined();
  });

  test('have the same gaps as found by looking at each, for random input', () => {
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
