import { describe, expect, test } from '@jest/globals';
import { lossesWithin } from '../../../report/losses-within.ts';

const HOUR = 3_600_000;
const RANGE = { from: 10 * HOUR, to: 20 * HOUR };
const loss = (fields: object) => ({
  reason: 'nginx_dropped',
  views: 5,
  first: 11 * HOUR,
  last: 12 * HOUR,
  total: 5,
  ...fields,
});
const why = (reason: string) => `why ${reason}`;

describe('losses of a time', () => {
  test.each([
    ['within', {}, { isWithin: true }],
    ['that began before', { first: 9 * HOUR }, { isWithin: false }],
    ['that goes on after', { last: 20 * HOUR }, { isWithin: false }],
  ])('are those %s', (_, fields, expected) => {
    const { list } = lossesWithin([loss(fields)], RANGE, why);
    expect(list).toEqual([expect.objectContaining({ views: 5, why: 'why nginx_dropped', ...expected })]);
  });

  test.each([
    ['before', { first: 8 * HOUR, last: 10 * HOUR - 1 }],
    ['after', { first: 20 * HOUR, last: 21 * HOUR }],
  ])('are none %s', (_, fields) => {
    expect(lossesWithin([loss(fields)], RANGE, why).list).toEqual([]);
  });

  test('are none that turned out not to be lost', () => {
    expect(lossesWithin([loss({ views: 0, total: 0 })], RANGE, why)).toEqual({ list: [], earlier: 0 });
  });

  test('may have been earlier than the last one, of which alone the time is known', () => {
    // An earlier spell ended an hour before: within the time, perhaps.
    expect(lossesWithin([loss({ first: 15 * HOUR, total: 12 })], RANGE, why).earlier).toBe(7);
    expect(lossesWithin([loss({ first: 25 * HOUR, last: 26 * HOUR, total: 12 })], RANGE, why)).toEqual({
      list: [],
      earlier: 7,
    });
    expect(lossesWithin([loss({ first: 10.5 * HOUR, total: 12 })], RANGE, why).earlier).toBe(0);
  });
});
