import type { Decision, Held } from '../detect/decisions.ts';
import type { Explained } from '../detect/explain.ts';
import type { CatalogueItem } from '../event/catalogue-item.ts';
import type { KeptState } from '../protect/entry.ts';
import type { SeenEnds, SeenLimit } from '../protect/shoppers.ts';
import { createWaiters } from '../service/waiters.ts';
import type { Freeze } from './frozen-file.ts';
import type { NginxNow } from './nginx-now.ts';
import type { Override } from './overrides.ts';
import type { RulesState } from './rules-watch.ts';

/** A decision with what operators need to know. */
export type ShownDecision = Decision & {
  /** What the catalogue says about the item; absent if it does not have it. */
  catalogue?: CatalogueItem;
  /** Why nginx cannot act on it; absent if it can. */
  problem?: string;
  /** What nginx does with its page, where it is to be kept. */
  page?: KeptState;
  /** What limit.conf did with requests for it, where nginx logs that. */
  limit?: SeenLimit;
  /** How requests for it ended, where nginx logs that. */
  ends?: SeenEnds;
};

/** The hot list, for people and programs. */
export type HotList = {
  /** Never used twice, even across restarts. */
  version: number;
  node: string;
  /** ms since 1970. */
  now: number;
  hot: ShownDecision[];
};

/** The hot list with what only the owner may see. */
export type WholeHotList = HotList & {
  /** Set while frozen: nginx sees no hot item. */
  frozen?: Freeze;
  /** Why nginx cannot see the hot list; absent if it can. */
  failure?: string;
  /** Why nginx keeps no pages of hot items, of one host at least, where that is not meant. */
  keeperFailure?: string;
  /** Held back by the cap. */
  held: Held[];
  overrides: Override[];
  rules: RulesState;
};

/** Everything known about one item, for the owner. */
export type ExplainedItem = Explained & { override?: Override; nginx?: NginxNow };

/** A growing version, and the readers that wait for the next. */
export type Versions = {
  current(): number;
  /** Increments the version, and wakes the readers. */
  next(): void;
  /** Resolves when the version is not `version`, or when `signal` is aborted. */
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
