import type { Action } from './rules.ts';

/**
 * `busy`: it loads the origin. `surge`: more people than usual want it. `concentrated`: a few visitors make many views, a warning. `pin`:
 * somebody says so.
 */
export type Signal = 'busy' | 'surge' | 'concentrated' | 'pin';
export type RuleSignal = Exclude<Signal, 'pin'>;
export const RULE_SIGNALS: readonly RuleSignal[] = ['busy', 'surge', 'concentrated'];

export type Decision = {
  item: string;
  signal: Signal;
  /** None: it is only said. */
  actions: readonly Action[];
  /** ms since 1970. */
  since: number;
  /** When it ends by itself, ms since 1970; absent where it ends by what is measured, or never. */
  until?: number;
  /** A sentence with numbers and their windows. */
  reason: string;
  /** The name of the rule by which it is so. */
  rule: string;
  /** The actions are not to be taken. */
  dryRun: boolean;
  /** Grows by one with each change, over all items. */
  version: number;
};

/** `changes`: it stays hot, by other rules. */
export type Change = Decision & { change: 'enters' | 'changes' | 'leaves' };

/**
 * What a signal says of an item. `strength` compares items with one signal: views or visitors a second. `explain`: the reason, asked for
 * only where it is needed.
 */
export type Finding = { item: string; signal: RuleSignal; strength: number; explain: () => string };

/** What the cap holds back. */
export type Held = Omit<Finding, 'explain'> & { reason: string };

/** Somebody's word on an item. */
export type Pin = { item: string; from?: number; until?: number; reason: string };
export type Ban = { item: string; until?: number; reason: string };
