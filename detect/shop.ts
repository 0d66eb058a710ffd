import { createBaselines, pastSeconds } from './baselines.ts';
import { CAPPED, createWindows, VISITORS, type Window } from './windows.ts';

/*
 * All visitors of the shop, beside which those of an item are seen. An item that is not tracked has too few views for its visitors
 * to be told apart: each of its views counts as a visitor.
 */
export type Shop = {
  /** A visitor who stands for `weight` of them, at `tick`. */
  add(tick: number, weight: number): void;
  /** Moves the windows on to `tick`; `second`: seconds that have passed since the start. */
  advance(tick: number, second: number): void;
  /** The clock was set back to `tick`. */
  startAgain(tick: number): void;
  visitors(window: Window): number;
  /** Visitors a second that the shop usually has, at `second`, without `own` visitors of the past of one item. */
  usual(second: number, own: number): number;
  /** How many visitors one stands for that was seen, on the average of the last minute: above 1 where views are sampled. */
  weight(): number;
  bytes: number;
};

/** What was seen, whatever it stands for. */
const SEEN = CAPPED;

export function createShop(tick: number): Shop {
  const windows = createWindows(1);
  const baseline = createBaselines(1);
  windows.begin(0, tick);
  return {
    add(at, weight) {
      windows.add(0, at, 0, 1, weight);
    },
    advance(to, second) {
      const left = windows.advance(0, to);
      if (left > 0) baseline.add(0, left, second);
    },
    startAgain: (at) => windows.begin(0, at),
    visitors: (window) => windows.sum(0, window, VISITORS),
    usual: (second, own) => Math.max(0, baseline.stored(0, second) - own) / pastSeconds(second),
    weight: () =>
      Math.max(1, windows.sum(0, 'minute', VISITORS) / Math.max(1, windows.sum(0, 'minute', SEEN))),
    bytes: windows.bytes,
  };
}
