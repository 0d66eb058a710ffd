import { describe, expect, test } from '@jest/globals';
import { createTracked } from '../../../detect/tracked.ts';

const PLACES = 160;

describe('the slots of tracked items', () => {
  test('are each assigned once, and free again after release', () => {
    const tracked = create();
    const taken = Array.from({ length: PLACES }, () => tracked.take(0));
    expect(new Set(taken).size).toBe(PLACES);
    expect(tracked.take(0)).toBe(-1);
    tracked.leave(7);
    expect(tracked.count()).toBe(PLACES - 1);
    expect(tracked.take(0)).toBe(7);
  });

  test('a sixteenth stays free however many items come, and the bar settles where as many enter as leave', () => {
    const tracked = create();
    const heat = new Map<number, number>();
    const bars: number[] = [];
    for (let tick = 0; tick < 2_000; tick++) {
      // Fifty a tick reach a bar of one, a tenth of them one that is ten times as high.
      for (let i = 0; i < 50; i++) {
        const views = 50 / (i + 1);
        if (views < tracked.bar()) continue;
        const place = tracked.take(tick);
        if (place !== -1) heat.set(place, views);
      }
      makeRoom(tracked, tick, heat);
      if (tick > 1_000) bars.push(tracked.bar());
    }
    expect(PLACES - tracked.count()).toBeGreaterThanOrEqual(1);
    expect(Math.min(...bars)).toBeGreaterThan(1);
    expect(Math.max(...bars)).toBeLessThan(100);
  });

  test('the bar falls again when there is room', () => {
    const tracked = create();
    for (let i = 0; i < PLACES; i++) tracked.take(0);
    for (let tick = 100; tick < 110; tick++)
      tracked.makeRoom(
        tick,
        () => 50,
        () => {},
      );
    expect(tracked.bar()).toBeGreaterThan(50);
    for (let place = 0; place < PLACES; place++) tracked.leave(place);
    for (let tick = 110; tick < 310; tick++)
      tracked.makeRoom(
        tick,
        () => 0,
        () => {},
      );
    expect(tracked.bar()).toBe(1);
  });

  test('the coldest items are evicted, and none that is hot or new', () => {
    const hot = new Set([3]);
    const tracked = create((place) => !hot.has(place));
    for (let i = 0; i < PLACES - 1; i++) tracked.take(0);
    const young = tracked.take(1_000);
    const gone: number[] = [];
    tracked.makeRoom(
      1_001,
      (place) => (place < 40 ? 1 : 100),
      (place) => {
        gone.push(place);
        tracked.leave(place);
      },
    );
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.filter((place) => place >= 40 || place === 3 || place === young)).toEqual([]);
  });
});

function create(mayLeave: (place: number) => boolean = () => true) {
  return createTracked({ places: PLACES, views: 1, mayLeave });
}

function makeRoom(tracked: ReturnType<typeof create>, tick: number, heat: Map<number, number>): void {
  tracked.makeRoom(
    tick,
    (place) => heat.get(place) ?? 0,
    (place) => tracked.leave(place),
  );
}
