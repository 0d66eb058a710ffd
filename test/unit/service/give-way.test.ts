import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createGiveWay, mapInTurns } from '../../../service/give-way.ts';
import { createLongWork } from '../../parts/long-work.ts';

describe('long work yields', () => {
  test('not within its time slice', () => {
    const giveWay = createGiveWay(Number.POSITIVE_INFINITY);
    expect([giveWay(), giveWay(), giveWay()]).toEqual([undefined, undefined, undefined]);
  });

  test('after its time slice, to everything else in the process', async () => {
    const giveWay = createGiveWay(0);
    const done: string[] = [];
    giveWay();
    setImmediate(() => done.push('something else'));
    const turn = giveWay();
    expect(turn).toBeDefined();
    await turn;
    expect(done).toEqual(['something else']);
  });

  test('and gets a new slice in the next turn', async () => {
    const giveWay = createGiveWay(0);
    giveWay();
    await giveWay();
    expect(giveWay()).toBeUndefined();
    await nextTurn();
    expect(giveWay()).toBeUndefined();
  });

  test('and shares its slice with other work in the same turn', async () => {
    const giveWay = createGiveWay(0);
    expect(giveWay()).toBeUndefined();
    expect(giveWay()).toBeDefined();
    expect(giveWay()).toBeDefined();
  });
});

test('a long list is processed in order, over several turns', async () => {
  const work = createLongWork();
  const made = await mapInTurns([1, 2, 3, 4, 5, 6], (one) => {
    work.piece();
    return one * 2;
  });
  expect(made).toEqual([2, 4, 6, 8, 10, 12]);
  expect(work.turns()).toBeGreaterThanOrEqual(2);
});
