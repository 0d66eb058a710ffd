/*
 * The server-sent events of the live page: `snapshot` with everything when it connects, then `change` twice a second with the differences.
 * A late view that belongs further back in a series appears in the next snapshot. The page is also built from this file: it imports types only.
 */

import type { CatalogueItem } from '../event/catalogue-item.ts';

export type LiveSnapshot = { head: LiveHead; items: LiveItem[]; happened: Happened[] };

export type LiveChange = {
  head: LiveHead;
  /** New items, and those whose numbers or decisions have changed. */
  items: (LiveItem | LiveItemChange)[];
  /** Items that are no longer hot. */
  gone: string[];
  /** All recent decisions, if there was one since the last event. */
  happened?: Happened[];
};

export type LiveHead = {
  node: string;
  /** Of the files of the page: it differs after an upgrade. */
  build: string;
  /** When the numbers were counted, ms since 1970. */
  now: number;
  /** Number of the 5 s interval with which `series` ends. */
  five: number;
  /** Views of all items in ten full seconds, up to one that ended a second ago; `people`: without bots. */
  shop: { all: number; people: number };
  /** Maximum number of hot items per signal, and how many are held back. */
  cap: number;
  held: number;
  /** Seconds until surges can be detected; absent once they can. */
  learning?: number;
  /** Nginx sees no hot item: frozen by an operator, or a failure. Who and why is in `/api/v1/hot` only, which is not published. */
  frozen?: { since: number };
  failure?: true;
  /** Number of problems that make the rules file invalid. */
  rulesProblems: number;
  /** The item with the most views by people among those that are not hot. */
  busiest?: { item: string; people: number; visitors: number; catalogue?: CatalogueItem };
};

export type LiveItem = LiveNumbers & LiveFacts & { series: LiveSeries };

/** `tail`: the last two counts of each series; the last is still growing. `facts`: absent if they are as before. */
export type LiveItemChange = LiveNumbers & { tail: LiveSeries; facts?: LiveFacts };

/** Views of the last five minutes, one count per 5 s, oldest first. */
export type LiveSeries = { all: number[]; people: number[] };

/** What changes all the time. Views in ten seconds and in a minute; `people`: without known bots. */
export type LiveNumbers = {
  item: string;
  ten: { all: number; people: number; visitors: number };
  minute: { all: number; people: number };
  /** Whether nginx shows its page from the cache, where it is to. */
  page?: LivePage;
  /** Requests for it that limit.conf checked, where nginx logs that. */
  limit?: LiveLimit;
  /** How requests for it ended, where nginx logs that. */
  ends?: LiveEnds;
};

/** What seldom changes. */
export type LiveFacts = {
  /** What the catalogue says about it; absent if it does not have it. */
  catalogue?: CatalogueItem;
  decisions: LiveDecision[];
  /** Why nginx cannot act on it; absent if it can. */
  problem?: string;
};

/** `refreshedAt`: ms since 1970, of a page that is kept. `reason`: why it is not, or was not refreshed lately. */
export type LivePage = { state: 'waiting' | 'kept' | 'refused'; refreshedAt?: number; reason?: string };

/** `wouldLimit`: passed, because the limit is a dry run. */
export type LiveLimit = { passed: number; limited: number; wouldLimit: number };

/** Requests since `since`, ms since 1970. All but `ok` are dead ends: 404 or 410, 429, 5xx, left before the end of the answer. */
export type LiveEnds = {
  ok: number;
  notFound: number;
  rejected: number;
  error: number;
  left: number;
  since: number;
};

export type LiveDecision = {
  signal: 'busy' | 'surge' | 'concentrated' | 'pin';
  since: number;
  until?: number;
  reason: string;
  rule: string;
  actions: readonly string[];
  dryRun: boolean;
};

export type Happened = {
  at: number;
  item: string;
  signal: LiveDecision['signal'];
  change: 'enters' | 'changes' | 'leaves';
  /** Since when it is, or was, so; ms since 1970. */
  since: number;
  /** Why it turned hot. */
  reason: string;
  /** Its name in the catalogue. */
  name?: string;
};

export function factsOf({ catalogue, decisions, problem }: LiveFacts): LiveFacts {
  return {
    ...(catalogue !== undefined && { catalogue }),
    decisions,
    ...(problem !== undefined && { problem }),
  };
}
