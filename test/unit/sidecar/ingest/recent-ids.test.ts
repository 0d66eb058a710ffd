import { describe, expect, test } from '@jest/globals';
import { createRecentIds } from '../../../../sidecar/ingest/recent-ids.ts';

describe('recent ids', () => {
  test('remember at least the last half a million, and forget the oldest', () => {
    const recent = createRecentIds();
    const all = 1_200_000;
    for (let i = 0; i < all; i++) recent.add(...id(i));
    let known = 0;
    for (let i = all - 524_288; i < all; i++) if (recent.has(...id(i))) known++;
    expect(known).toBe(524_288);
    expect(recent.has(...id(0))).toBe(false);
  });

  test('tell whether any of many is known', () => {
    const recent = createRecentIds();
    recent.add(...id(7));
    const anyOf = (...ids: [number, number][]) =>
      recent.hasAny(
        ids.map(([high]) => high),
        ids.map(([, low]) => low),
      );
    expect(anyOf()).toBe(false);
    expect(anyOf(id(1), id(2))).toBe(false);
    expect(anyOf(id(1), id(7))).toBe(true);
  });

  test('tell apart ids that have a place and bits in common, and know those whose words are zero', () => {
    const recent = createRecentIds();
    const ids: [number, number][] = [
      [0, 0],
      [0, 5],
      [1, 5],
      [2, 5],
      [-1, 5],
      [-2, 5],
      [1 << 24, 5],
      [-1 << 20, 5],
    ];
    for (const [i, one] of ids.entries()) {
      expect(ids.map((other) => recent.has(...other))).toEqual(ids.map((_, at) => at < i));
      recent.add(...one);
    }
    expect(ids.every((one) => recent.has(...one))).toBe(true);
  });

  test('do not contain an id that was never added', () => {
    const recent = createRecentIds();
    for (let i = 0; i < 1000; i++) recent.add(...id(i));
    expect(Array.from({ length: 1000 }, (_, i) => id(2_000_000 + i)).some((one) => recent.has(...one))).toBe(
      false,
    );
  });
});

/** As random as nginx makes them: scattered by a multiplication. */
function id(i: number): [number, number] {
  return [Math.imul(i, 0x9e3779b1), i];
}
