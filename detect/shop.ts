import { createBaselines, pastSeconds } from './baselines.ts';
import type { Moment } from './clock.ts';
import { createWindows, NEWCOMERS, VIEWS, type Window } from './windows.ts';

/*
 * All newcomers of the shop, beside which those of an item are seen. An item that is not tracked has too few views for its visitors
 * to be told apart: each of its views counts as a newcomer.
 */
export type Shop = {
  /** A newcomer who stands for `weight` of them, at `tick`. */
  add(tick: number, weight: number): void;
  /** Moves the windows on. */
  advance(): void;
  newcomers(window: Window): number;
  /** Newcomers a second that the shop usually has, without `own` newcomers of the past of one item. */
  usual(own: number): number;
  /** Newcomers of the past, older ones counted less. */
  past(): number;
  /** How many visitors a seen one represents, on average over the last minute: above 1 if views are sampled. */
  weight(): number;
  bytes: number;
};

/** What was seen, without weights. */
const SEEN = VIEWS;

/** `past`: what `past` gave before a restart. */
export function createShop(moment: Moment, past = 0): Shop {
  const windows = createWindows(1);
  const baseline = createBaselines(1);
  windows.begin(0, moment.tick);
  baseline.begin(0, past, moment.second);
  return {
    add(tick, weight) {
      windows.add(0, tick, 1, 0, weight, 0);
    },
    advance() {
      const left = windows.advance(0, moment.tick);
      if (left > 0) baseline.add(0, left, moment.second);
    },
    newcomers: (window) => windows.newcomers(0, window),
    usual: (own) => Math.max(0, baseline.past(0, moment.second) - own) / pastSeconds(moment.second),
    past: () => baseline.past(0, moment.second),
    weight: () => Math.max(1, windows.minute(0, NEWCOMERS) / Math.max(1, windows.minute(0, SEEN))),
    bytes: windows.bytes,
  };
}
