import { describe, expect, test } from '@jest/globals';
import { bitsOf } from '../../../../event/id-bits.ts';
import {
  createLoadShedding,
  isKept,
  nextStep,
  SHEDDING_STEPS,
} from '../../../../sidecar/ingest/load-shedding.ts';
import { FULL } from '../../../parts/full.ts';

const FROM = 0.8;
const SEED = 20_261_122;

describe('load shedding', () => {
  test.each([
    [0, 0],
    [0.79, 0],
    [0.8, 1],
    [0.839, 1],
    [0.84, 2],
    [0.88, 3],
    [0.92, 4],
    [0.96, 5],
    [1, 5],
    [1.2, 5],
  ])('at a fill of %d, from empty, is at step %i', (fill, step) => {
    expect(nextStep(0, { fill, from: FROM })).toBe(step);
  });

  test.each([
    [0.97, 5],
    [0.95, 5],
    [0.93, 4],
    [0.785, 1],
    [0.77, 0],
    [0, 0],
  ])('at a fill of %d, from full, is at step %i', (fill, step) => {
    expect(nextStep(5, { fill, from: FROM })).toBe(step);
  });

  test('does not change its step while the spool fluctuates at a boundary', () => {
    let fill = 0.84;
    const { changes, shedding } = shedAt(() => fill);
    for (let i = 0; i < 100; i++) {
      fill = 0.84 + (i % 2 === 0 ? 0.001 : -0.015);
      shedding.step();
    }
    expect(changes).toEqual([2]);
  });

  test('increases as the spool fills, decreases as it empties, and reports each change once', () => {
    let fill = 0;
    const { changes, shedding } = shedAt(() => fill);
    const path = [...Array.from({ length: 101 }, (_, i) => i / 100)];
    for (fill of [...path, ...path.toReversed()]) shedding.extent();
    expect(changes).toEqual([1, 2, 3, 4, 5, 4, 3, 2, 1, 0]);
    expect(shedding.extent()).toEqual({ oneIn: 1, bare: false });
  });
});

describe('sampling', () => {
  const random = randomFrom(SEED);
  const ids = Array.from({ length: FULL ? 200_000 : 50_000 }, () => `01a2038a1aa3${hex(random, 20)}`);

  test.each(SHEDDING_STEPS.map(({ oneIn }) => oneIn))(
    'keeps the sum of the weights at one in %i',
    (oneIn) => {
      const kept = ids.filter((id) => isKept(bitsOf(id, 0), bitsOf(id, 1), oneIn)).length;
      // Of a binomial count times its weight.
      const standardError = oneIn * Math.sqrt(ids.length * (1 / oneIn) * (1 - 1 / oneIn));
      expect(Math.abs(kept * oneIn - ids.length)).toBeLessThanOrEqual(4 * standardError);
    },
  );

  test('keeps the share of each item, whatever nginx sampled before', () => {
    // nginx lets one request id in ten pass, by its first digits: what is left is no random set of ids.
    const passed = ids.filter((id) => Number.parseInt(id.slice(12, 20), 16) < 2 ** 32 / 10);
    const views = { hot: 0, cold: 0 };
    let rare = 0;
    passed.forEach((id, i) => {
      const item = i % 50 === 0 ? 'cold' : 'hot';
      if (item === 'cold') rare++;
      if (!isKept(bitsOf(id, 0), bitsOf(id, 1), 8)) return;
      views[item] += 10 * 8;
    });
    const error = (count: number) => 10 * 8 * Math.sqrt(count * (1 / 8) * (7 / 8));
    expect(Math.abs(views.cold - rare * 10)).toBeLessThanOrEqual(4 * error(rare));
    const common = passed.length - rare;
    expect(Math.abs(views.hot - common * 10)).toBeLessThanOrEqual(4 * error(common));
  });

  test('keeps nothing on a higher step that it would drop on a lower one', () => {
    const wrong = ids.slice(0, 10_000).filter((id) => {
      const fates = SHEDDING_STEPS.map(({ oneIn }) => isKept(bitsOf(id, 0), bitsOf(id, 1), oneIn));
      return fates.some((kept, step) => kept && fates[step - 1] === false);
    });
    expect(wrong).toEqual([]);
  });
});

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hex(random: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
}

function shedAt(fill: () => number) {
  const changes: number[] = [];
  const onChange = ({ step }: { step: number }) => void changes.push(step);
  return { changes, shedding: createLoadShedding({ from: FROM, fill, onChange }) };
}
