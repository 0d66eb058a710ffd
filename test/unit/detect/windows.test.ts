import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createWindows, type Kind, VIEWS, VISITORS, type Window } from '../../../detect/windows.ts';

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
  kind: fc.constantFrom<Kind>(VIEWS, VISITORS),
  weight: fc.integer({ min: 1, max: 9 }),
});

test('no window is ever wrong, whenever views come and however late', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const windows = createWindows(3);
      const added: { item: number; tick: number; kind: Kind; weight: number }[] = [];
      let now = START;
      for (const item of [0, 1, 2]) windows.begin(item, now);
      for (const { passes, item, late, kind, weight } of steps) {
        now += passes;
        windows.advance(item, now);
        windows.add(item, now - late, kind === VIEWS ? weight : 0, 0, kind === VISITORS ? weight : 0);
        added.push({ item, tick: now - late, kind, weight });
        for (const window of Object.keys(WINDOWS) as Window[]) {
          const { slots, slotTicks } = WINDOWS[window];
          const first = Math.floor(now / slotTicks) - slots + 1;
          const exact = added
            .filter(
              (one) => one.item === item && one.kind === kind && Math.floor(one.tick / slotTicks) >= first,
            )
            .reduce((sum, one) => sum + one.weight, 0);
          expect(windows.sum(item, window, kind)).toBe(exact);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('each visitor who leaves the window of a minute is told once', () => {
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
        windows.add(0, now, 0, 0, weight);
        came += weight;
        expect(windows.sum(0, 'minute', VISITORS) + left).toBe(came);
      }
    }),
  );
});

test('an item that begins has nothing of the one before it', () => {
  const windows = createWindows(2);
  windows.begin(1, START);
  windows.add(1, START, 5, 0, 0);
  windows.begin(1, START + 1);
  for (const window of Object.keys(WINDOWS) as Window[]) expect(windows.sum(1, window, VIEWS)).toBe(0);
});
