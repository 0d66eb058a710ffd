import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createTimeSlices } from '../../../service/time-slices.ts';

const NEVER_OVER = 1e9;

describe('work in time slices', () => {
  test('runs at once while the slice lasts', () => {
    const inSlices = createTimeSlices(NEVER_OVER);
    const done: number[] = [];
    for (const one of [1, 2, 3]) inSlices(() => done.push(one));
    expect(done).toEqual([1, 2, 3]);
  });

  test('after its slice runs in the following turns, in the order of the calls', async () => {
    const inSlices = createTimeSlices(0);
    const done: number[] = [];
    for (const one of [1, 2, 3]) inSlices(() => done.push(one));
    const seen = [[...done]];
    while (done.length < 4) {
      await nextTurn();
      // What comes later does not come first.
      if (seen.length === 1) inSlices(() => done.push(4));
      seen.push([...done]);
    }
    expect(seen).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
  });

  test('may add more work', async () => {
    const inSlices = createTimeSlices(0);
    const done: string[] = [];
    inSlices(() => {
      done.push('first');
      inSlices(() => done.push('of the first'));
    });
    inSlices(() => done.push('second'));
    while (done.length < 3) await nextTurn();
    expect(done).toEqual(['first', 'of the first', 'second']);
  });

  test('starts at once again when nothing waits', async () => {
    const inSlices = createTimeSlices(0);
    const done: number[] = [];
    inSlices(() => done.push(1));
    await nextTurn();
    inSlices(() => done.push(2));
    expect(done).toEqual([1, 2]);
  });
});
