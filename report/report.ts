/*
 * What happened in a time, as `hotitem report` shows it in HTML, Markdown and JSON. Plain values: who asks the index, the accounting and
 * the log fills them in, who renders them asks nothing. What is not known says why; it is never 0. Times are ms since 1970. Every text in
 * it may be hostile. docs/report.md documents it: a change that breaks readers needs another `version`.
 */

/** Why a part is not known, as the end of a sentence. */
export type Unknown = { unknown: string };

export type Report = {
  version: 1;
  /** When it was made, and the zone of the times in it, such as Europe/Berlin. */
  made: number;
  timeZone: string;
  /** `isRunning`: it was made before the end that was asked for, and `to` is when. */
  range: { from: number; to: number; isRunning: boolean };
  /** Where the views were counted. */
  index: string;
  /** What else a reader must know of these numbers: sentences. */
  notes: string[];
  totals: ReportTotals;
  /** Views in each interval, oldest first. The last may be shorter. */
  curve: { stepMs: number; people: number[]; all: number[] };
  periods: {
    /** By their beginning. */
    list: ReportPeriod[];
    /** Beyond those that are listed. */
    more: number;
    /** Items that were hot at once by one signal on one node, at most; and what `heat.cap` is now. */
    mostAtOnce: number;
    cap: number;
  };
  saved: {
    /** Requests that nginx answered from its cache, at most: views of items while it was told to cache them, less its refreshes. */
    atMost: number;
    /** Between two refreshes of a page, at most. */
    refreshMs: number;
    counted: ReportShoppers | Unknown;
  };
  /** The most viewed, by people. */
  items: ReportItem[];
  categories: ReportCategory[];
  accounting: ReportAccounting;
  /** What the cap held back, by the first time. */
  held: { list: ReportHeld[]; more: number };
  rules: ReportRules | Unknown;
};

export type ReportTotals = ReportViews & {
  bots: number;
  prefetches: number;
  others: number;
  /** Distinct items that were asked for. */
  items: number;
  /** Times of the first and the last view; missing if there was none. */
  first?: number;
  last?: number;
};

/** `people`: views by people. `all`: whatever asked. `visitors`: distinct, among the views by people; `estimated`: not counted. */
export type ReportViews = { people: number; all: number; visitors: number; estimated?: true };

type Named = {
  item: string;
  /** Of the catalogue of today. */
  name?: string;
};

export type ReportPeriod = Named & {
  signal: string;
  /** Those that decided it. */
  nodes: string[];
  since: number;
  /** Missing while it lasts, or where its end was not recorded. */
  until?: number;
  /** Its end was not recorded, and this is when it was over at the latest: what is told of it is told again once a day. */
  lostAt?: number;
  /** At the moment of the decision. */
  reason: string;
  rule: string;
  dryRun: boolean;
  /** What nginx was told to do. */
  actions: readonly string[];
  /** Of the item while it was hot, as far as that is in the time of the report. */
  people: number;
  all: number;
  /** The busiest interval of `overMs`. */
  most: { perSecond: number; overMs: number };
  /** Missing where nginx was not told to cache it. Below 0 where refreshing it cost more. */
  savedAtMost?: number;
};

export type ReportItem = ReportViews & Named & { category?: string };

/** `category`: of the catalogue, when its views were indexed; empty for views without one. */
export type ReportCategory = ReportViews & { category: string };

export type ReportAccounting = {
  /** Events that wait in the spool of this host, when the report was begun. */
  waiting: { events: number } | Unknown;
  /** Events that wait in Kafka for the sinks of all hosts, then; missing without Kafka. */
  inKafka?: { events: number } | Unknown;
  dead: { events: number; reasons: { reason: string; events: number }[] } | Unknown;
  lost: ReportLosses | Unknown;
  /** From view to the log of events. */
  lateness: ReportLateness | Unknown;
};

export type ReportLosses = {
  list: ReportLoss[];
  /** Views that were lost before the listed losses. When is not recorded: perhaps in the time of the report. */
  earlier: number;
  /** Services that did not answer, and nginx where it does not report: what they lost is not known. */
  notAsked: string[];
};

/** `isWithin`: all of it in the time of the report; otherwise `views` are more than were lost in it, perhaps. */
export type ReportLoss = {
  reason: string;
  why: string;
  views: number;
  first: number;
  last: number;
  isWithin: boolean;
};

export type ReportLateness = {
  /** The log: `Kafka`, or `the spool`. */
  log: string;
  views: number;
  medianMs: number;
  p99Ms: number;
  longestMs: number;
};

/** Requests of shoppers for hot items, as nginx of this host counts them: from its cache, or from the origin. */
export type ReportShoppers = {
  /** Since the sidecar started. `isWithin`: in the time of the report, and up to its end. */
  since: number;
  isWithin: boolean;
  cached: number;
  origin: number;
  /** Requests that limit.conf checked; missing if it checked none. `wouldLimit`: passed, because it is a dry run. */
  limit?: { checked: number; limited: number; wouldLimit: number };
};

export type ReportHeld = Named & {
  signal: string;
  /** When it was told to be held back, first and last, and how often. */
  first: number;
  last: number;
  times: number;
  /** Why it would have been hot, the first time. */
  reason: string;
};

export type ReportRules = {
  /** Of which time views were tried: six hours around the peak at most. */
  range: { from: number; to: number };
  /** Where the views were read, and how many. */
  source: string;
  views: number;
  span?: { from: number; to: number; surgesFrom: number };
  /** It took too long: the later views were not read. */
  isCut: boolean;
  damage?: string;
  inForce: ReportOutcome;
  grid: (ReportOutcome & { busyFrom: number; surprise: number })[];
};

/** `saved`: requests that a cache would have answered, at most. */
export type ReportOutcome = {
  busy: { items: number; minutes: number };
  surge: { items: number; minutes: number };
  held: number;
  saved: number;
};

export function isKnown<Value extends object>(value: Value | Unknown): value is Value {
  return !('unknown' in value);
}

/** Events on the way to the index, as far as that is known: of any time, and counted nowhere in the report. */
export function onTheWay({ waiting, inKafka }: Pick<ReportAccounting, 'waiting' | 'inKafka'>): number {
  return [waiting, inKafka].reduce((sum, one) => sum + (one && isKnown(one) ? one.events : 0), 0);
}

/** Views that were lost; `isSure`: all of them in the time of the report, otherwise as many at most. */
export function lostIn({ list, earlier }: ReportLosses): { views: number; isSure: boolean } {
  return {
    views: list.reduce((sum, loss) => sum + loss.views, earlier),
    isSure: earlier === 0 && list.every(({ isWithin }) => isWithin),
  };
}
