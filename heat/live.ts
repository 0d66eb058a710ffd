/*
 * What the live page is told, as server-sent events: `snapshot` with everything when it connects, then `change` twice a second with
 * what is different. A view that comes late and belongs further back in a series is told with the next snapshot. Plain types: the page is
 * built from them as well.
 */

export type LiveSnapshot = { head: LiveHead; items: LiveItem[]; happened: Happened[] };

export type LiveChange = {
  head: LiveHead;
  /** Items whose numbers or decisions have changed, and new ones. */
  items: (LiveItem | LiveItemChange)[];
  /** Items that are not hot any more. */
  gone: string[];
  /** Everything that happened lately, where anything has since the last event. */
  happened?: Happened[];
};

export type LiveHead = {
  node: string;
  /** When this was counted, ms since 1970. */
  now: number;
  /** Number of the five seconds that `series` ends with. */
  five: number;
  /** Views of all items in the last ten full seconds; people's without bots. */
  shop: { all: number; people: number };
  /** Items that may be hot by each signal, and how many are held back. */
  cap: number;
  held: number;
  /** How long until surges can be told, in seconds; absent once they can. */
  learning?: number;
  /** Why nginx sees none of it: frozen by somebody, or a fault. */
  frozen?: { since: number; by: string; reason: string };
  failure?: string;
  /** How many problems keep a file of rules from use. */
  rulesProblems: number;
  /** The item with the most views by people that is not hot. */
  busiest?: { item: string; people: number; visitors: number };
};

/** Counts of views in ten seconds and in a minute. `people`: without known bots. */
export type LiveItem = LiveNumbers & {
  series: LiveSeries;
};

/** `tail`: the last two of each series, of which the last is still growing. */
export type LiveItemChange = LiveNumbers & { tail: LiveSeries };

/** Views of the last five minutes, a count for each 5 s, the oldest first. */
export type LiveSeries = { all: number[]; people: number[] };

export type LiveNumbers = {
  item: string;
  ten: { all: number; people: number; visitors: number };
  minute: { all: number; people: number };
  /** Newcomers a second that it usually has. */
  baseline: number;
  decisions: LiveDecision[];
  /** Why nginx cannot act on it, where that is so. */
  problem?: string;
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
  reason: string;
};
