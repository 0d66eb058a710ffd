import type { Action } from './rules.ts';

/**
 * `busy`: the item loads the origin. `surge`: more people than usual want it. `concentrated`: a few visitors make many views, a warning.
 * `pin`: an operator pinned it.
 */
export type Signal = 'busy' | 'surge' | 'concentrated' | 'pin';
export type RuleSignal = Exclude<Signal, 'pin'>;
export const RULE_SIGNALS: readonly RuleSignal[] = ['busy', 'surge', 'concentrated'];

export type Decision = {
  item: string;
  signal: Signal;
  /** Empty: the decision is only reported. */
  actions: readonly Action[];
  /** ms since 1970. */
  since: number;
  /** When it ends by itself, ms since 1970; absent if it ends by measurement, or never. */
  until?: number;
  /** A sentence with numbers and their windows. */
  reason: string;
  /** The numbers in it; absent for a pin. */
  numbers?: Numbers;
  /** The name of the rule that applies. */
  rule: string;
  /** The actions must not be taken. */
  dryRun: boolean;
  /** Grows by one with each change of any item. */
  version: number;
};

/** `changes`: it stays hot, but other rules apply. */
export type Change = Decision & { change: 'enters' | 'changes' | 'leaves' };

/**
 * An item that meets the conditions of a signal. `strength` compares items with the same signal: views or visitors per second. `explain`:
 * returns the reason, called only when it is needed.
 */
export type Finding = { item: string; signal: RuleSignal; strength: number; explain: () => Reason };

/** Why, as a sentence and as the numbers in it. */
export type Reason = { text: string; numbers: Numbers };

/** What was measured when a signal was found, in a window. */
export type Numbers = {
  windowSeconds: number;
  viewsPerSecond?: number;
  visitors: number;
  /** Views a second in the minutes before. */
  beforePerSecond?: number;
  /** Visitors a second that the item usually has. */
  baselinePerSecond?: number;
  /** Views by the visitor with the most. */
  heaviestViews?: number;
  /** Visitors are estimated, where views are sampled. */
  estimated: boolean;
};

/** An item that the cap holds back. */
export type Held = Omit<Finding, 'explain'> & { reason: string };

/** An operator's override for an item. */
export type Pin = { item: string; from?: number; until?: number; reason: string };
export type Ban = { item: string; until?: number; reason: string };
