/*
 * What happened in a time, as `hotitem report` shows it in HTML, Markdown and JSON. Plain values: who asks the index, the accounting and
 * the backtest fills them in, who renders them asks nothing. What is not known is undefined and is said to be unknown; it is never 0.
 * Times are ms since 1970. Every text in it may be hostile.
 */

export type Report = {
  range: { from: number; to: number };
  /** When it was made, and the zone of its times, such as Europe/Berlin. */
  made: number;
  timeZone: string;
  totals: { people: number; all: number; visitors?: number };
  /** Views in each interval, oldest first. */
  curve: { stepMs: number; people: number[]; all: number[] };
  periods: ReportPeriod[];
  items: ReportItem[];
  accounting?: ReportAccounting;
  /** What the cap held back; undefined if nobody could replay the events. */
  held?: ReportHeld[];
  /** What other rules would have given; undefined likewise. */
  rules?: ReportRules[];
  /** Requests that nginx answered in hot periods instead of the application; undefined if nobody counted them. */
  savedRequests?: number;
};

export type ReportPeriod = {
  item: string;
  signal: string;
  since: number;
  /** Undefined while it lasts. */
  until?: number;
  reason: string;
  rule: string;
  dryRun: boolean;
  /** What nginx was told to do. */
  actions: readonly string[];
};

export type ReportItem = { item: string; people: number; all: number; visitors: number };

export type ReportAccounting = {
  captured: number;
  indexed: number;
  dead: number;
  lost: { reason: string; views: number; first: number; last: number }[];
  /** From view to index. */
  lateness?: { medianMs: number; p99Ms: number };
};

export type ReportHeld = { item: string; signal: string; since: number; reason: string };

export type ReportRules = {
  busyFrom: number;
  surprise: number;
  hotItems: number;
  held: number;
  savedRequests: number;
};
