import { createBaselines, pastSeconds } from './baselines.ts';
import type { Moment } from './clock.ts';
import { createWindows, NEWCOMERS, VIEWS, type Window } from './windows.ts';

/*
 * Newcomers of the whole shop, with which those of an item are compared. An item that is not tracked has too few views to tell its visitors
 * apart: each of its views counts as a newcomer.
 */
export type Shop = {
  /** Counts a newcomer that stands for `weight` newcomers, at `tick`. */
  add(tick: number, weight: number): void;
  /** Advances the windows. */
  advance(): void;
  newcomers(window: Window): number;
  /** The shop's usual number of newcomers per second, without `own` past newcomers of one item. */
  usual(own: number): number;
  /** Past newcomers, decayed. */
  past(): number;
  /** How many visitors an observed one represents, on average over the last minute: above 1 if views are sampled. */
  weight(): number;
  bytes: number;
};

/** Observed visitors, unweighted. */
const SEEN = VIEWS;

/** `past`: what `past` returned before a restart. */
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
