import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  BY_PEOPLE,
  createWindows,
  type Kind,
  NEWCOMERS,
  VIEWS,
  VISITORS,
  type Window,
  type Windows,
} from '../../../detect/windows.ts';
import { runs } from '../../parts/full.ts';

const START = 3_000;
const WINDOWS: Record<Window, { slots: number; slotTicks: number }> = {
  second: { slots: 10, slotTicks: 1 },
  ten: { slots: 10, slotTicks: 10 },
  minute: { slots: 60, slotTicks: 10 },
  fiveMinutes: { slots: 60, slotTicks: 50 },
};

const step = fc.record({
  passes: fc.oneof(fc.nat(3), fc.nat(120), fc.nat(4_000)),
  item: fc.nat(2),
  late: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(3_200)),
  grows: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)),
  asks: fc.boolean(),
  weight: fc.integer({ min: 1, max: 9 }),
});

test('every window is exact, however late views come', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const windows = createWindows(3);
      const added: { item: number; tick: number; by: Record<Kind, number> }[] = [];
      let now = START;
      for (const item of [0, 1, 2]) windows.begin(item, now);
      for (const { passes, item, late, grows, asks, weight } of steps) {
        now += passes;
        windows.advance(item, now);
        const by = { [VIEWS]: weight, [BY_PEOPLE]: grows[0], [NEWCOMERS]: grows[1], [VISITORS]: grows[2] };
        windows.add(item, now - late, weight, ...grows);
        added.push({ item, tick: now - late, by });
        if (!asks) continue;
        for (const window of Object.keys(WINDOWS) as Window[]) {
          const { slots, slotTicks } = WINDOWS[window];
          const first = Math.floor(now / slotTicks) - slots + 1;
          const inIt = added.filter((one) => one.item === item && Math.floor(one.tick / slotTicks) >= first);
          for (const [kind, count] of countsOf(windows, item, window))
            expect(count).toBe(inIt.reduce((sum, one) => sum + one.by[kind], 0));
        }
        for (const kind of [VIEWS, BY_PEOPLE] as const) {
          const fives = Array(60).fill(0);
          for (const one of added.filter((one) => one.item === item)) {
            const age = Math.floor(now / 50) - Math.floor(one.tick / 50);
            if (age < 60) fives[59 - age] += one.by[kind];
          }
          expect(windows.series(item, kind)).toEqual(fives);
        }
      }
    }),
    { numRuns: runs(300) },
  );
});

test('each newcomer that leaves the window of a minute is reported once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const windows = createWindows(1);
      windows.begin(0, START);
      let now = START;
      let came = 0;
      let left = 0;
      for (const { passes, weight } of steps) {
        now += passes;
        left += windows.advance(0, now);
        windows.add(0, now, 1, 0, weight, 0);
        came += weight;
        expect(windows.minute(0, NEWCOMERS) + left).toBe(came);
      }
    }),
  );
});

test('a new item in a slot has nothing of its predecessor', () => {
  const windows = createWindows(2);
  windows.begin(1, START);
  windows.add(1, START, 5, 4, 3, 2);
  windows.begin(1, START + 1);
  for (const window of Object.keys(WINDOWS) as Window[])
    for (const [, count] of countsOf(windows, 1, window)) expect(count).toBe(0);
});

/** All that a window counts. */
function countsOf(windows: Windows, item: number, window: Window): [Kind, number][] {
  const all: Kind[] = [VIEWS, BY_PEOPLE, NEWCOMERS, VISITORS];
  if (window === 'ten') return all.map((kind) => [kind, windows.ten(item, kind)]);
  if (window === 'minute') return all.map((kind) => [kind, windows.minute(item, kind)]);
  return [
    [VIEWS, windows.views(item, window)],
    [NEWCOMERS, windows.newcomers(item, window)],
  ];
}
