import type { Decision, Held } from '../detect/decisions.ts';
import type { Explained } from '../detect/explain.ts';
import { createWaiters } from '../service/waiters.ts';
import type { Freeze } from './frozen-file.ts';
import type { Override } from './overrides.ts';
import type { RulesState } from './rules-watch.ts';

/** A decision as it is shown. */
export type ShownDecision = Decision & {
  /** Why nginx cannot act on it, where that is so. */
  problem?: string;
};

/** What is hot, for people and programs. */
export type HotList = {
  /** Differs from each version before it, also over a restart. */
  version: number;
  node: string;
  /** ms since 1970. */
  now: number;
  hot: ShownDecision[];
};

/** The same, with what the owner may know. */
export type WholeHotList = HotList & {
  /** nginx sees nothing of it. */
  frozen?: Freeze;
  /** Why nginx does not see it, where that is not meant. */
  failure?: string;
  /** What the cap holds back. */
  held: Held[];
  overrides: Override[];
  rules: RulesState;
};

/** What is known of one item, for its owner. */
export type ExplainedItem = Explained & { override?: Override };

/** A version that grows, and those who wait for the next. */
export type Versions = {
  current(): number;
  /** Something has changed. */
  next(): void;
  /** Resolves when the version is not `version`, at the latest when `signal` is aborted. */
  changed(version: number, signal: AbortSignal): Promise<void>;
};

export function createVersions(first: number): Versions {
  let version = first;
  const waiters = createWaiters();
  return {
    current: () => version,
    next() {
      version++;
      waiters.wake();
    },
    changed: (known, signal) => (version === known ? waiters.wait(signal) : Promise.resolve()),
  };
}
