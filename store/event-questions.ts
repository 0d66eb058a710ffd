import type { HotDecision } from '../event/decision-fields.ts';

/*
 * What can be asked about the events and decisions of an index. Elasticsearch and DuckDB answer all of it alike, so the page is the same
 * over both. Plain types and values, because the page is also built from them. Times are ms since 1970; a range is `from <= time < to`.
 *
 * A view by a person is a GET of the page that is nothing else (`kindOf`), with a user agent that is no bot's. Each event counts with its
 * weight. Test views of `hotitem doctor` count nowhere.
 */

export type EventQuestions = {
  /**
   * The most viewed items, most viewed first. When `signal` fires the index is told to give the query up, and its reason is thrown as
   * soon as nothing of it runs here any more; so it is with every question.
   */
  topItems(query: RankingQuery, signal?: AbortSignal): Promise<ItemViews[]>;
  /** The items with the most visitors in proportion to the time before, the steepest first. */
  rising(query: RisingQuery, signal?: AbortSignal): Promise<Rise[]>;
  /** All that is counted of one item; undefined if nothing is. */
  itemViews(query: ItemQuery, signal?: AbortSignal): Promise<ItemViews | undefined>;
  /** All that is counted in a range. */
  totals(query: Range, signal?: AbortSignal): Promise<Totals>;
  /** The most viewed categories, most viewed first. */
  topCategories(query: CategoriesQuery, signal?: AbortSignal): Promise<CategoryViews[]>;
  /** The views of an item, or of all, over time. */
  timeLine(query: TimeLineQuery, signal?: AbortSignal): Promise<TimeLine>;
  /** Where the views by people came from. */
  sources(query: SourcesQuery, signal?: AbortSignal): Promise<Sources>;
  /** When items were hot and why, the latest first. */
  hotPeriods(query: HotPeriodsQuery, signal?: AbortSignal): Promise<HotPeriod[]>;
  /** Decisions as they were told, the latest first. */
  pastDecisions(query: DecisionsQuery, signal?: AbortSignal): Promise<PastDecisions>;
  /** Time of the newest event; undefined if there is none. */
  newest(signal?: AbortSignal): Promise<number | undefined>;
};

/** What items are ranked by: views by people, or whatever asked for them. Only items that have some are listed. */
export const RANKINGS = ['people', 'all'] as const;
export type Ranking = (typeof RANKINGS)[number];

export type Range = { from: number; to: number };

export type RankingQuery = Range & {
  limit: number;
  rank?: Ranking;
  /** Only views that were indexed with this category of their item. */
  category?: string | undefined;
  /**
   * Only items whose id, or name, contains this text. Case is ignored: in Elasticsearch of ASCII letters alone (its wildcard query folds no
   * others), in DuckDB of all letters.
   */
  search?: string | undefined;
};

/** How often an item was asked for. Each event counts with its weight, in one of the first four numbers. */
export type ItemViews = {
  item: string;
  /** Views by people. */
  views: number;
  /** The same by bots. */
  bots: number;
  /** Pages that a browser, an app or a script fetched in advance. */
  prefetches: number;
  /** Requests for a part of the page, HEAD requests, and other methods. */
  others: number;
  all: number;
  /** Distinct visitors (`visitorOf`) among the views by people. */
  visitors: number;
  /** `visitors` is an estimate: there are too many views, or items, to count them. */
  estimated?: true;
  /** Time of the latest of what is ranked. */
  last: number;
};

/** The last `windowMs` before `to`, against as many such windows before as `windowsBefore` says. */
export type RisingQuery = {
  to: number;
  windowMs: number;
  windowsBefore: number;
  /** An item with fewer visitors in the window is left out. There is no minimum share of the shop's visitors. */
  leastVisitors: number;
  /** The least ratio of visitors to those of a window before. */
  leastRatio: number;
  limit: number;
  /** Length of an interval of `series`. */
  stepMs: number;
};

export type Rise = {
  item: string;
  /** Distinct visitors of the window, approximate. */
  visitors: number;
  /** Distinct visitors of a window before, on average. */
  before: number;
  /** Views by people in the window. */
  views: number;
  /** Views by people in each interval of all windows, oldest first. */
  series: number[];
};

export type ItemQuery = Range & { item: string };

/** Of what is ranked, what has views with a category; views without one are the category `''`. */
export type CategoriesQuery = Range & { limit: number; rank?: Ranking };
export type CategoryViews = Omit<ItemViews, 'item'> & { category: string };

/** `first` and `last`: times of the views, of whatever kind; missing where there is none. */
export type Totals = Omit<ItemViews, 'item' | 'last'> & {
  /** Distinct items that were asked for. */
  items: number;
  first?: number;
  last?: number;
};

/** Where `stepMs` does not divide the range, the last interval is shorter. Without `item`: of all. */
export type TimeLineQuery = Range & { item?: string; stepMs: number };

/** Views in each interval, oldest first. */
export type TimeLine = { people: number[]; all: number[] };

/** `referrer`: the host of the referring page. `host`: the host that was asked. `utm_source`: that parameter of the query string. */
export const SOURCES = ['referrer', 'host', 'utm_source'] as const;
export type SourcesQuery = ItemQuery & { by: (typeof SOURCES)[number]; limit: number };

/** `name` is empty for views without one. `rest`: the views of all other sources. */
export type Sources = { top: { name: string; views: number }[]; rest: number };

/** By the time of the decision. */
export type DecisionsQuery = Range & { limit: number };

/** What is read of a decision. */
export type PastDecision = Pick<
  HotDecision,
  'time' | 'node' | 'item' | 'change' | 'signal' | 'reason' | 'since' | 'rule' | 'actions'
> &
  Partial<Pick<HotDecision, 'dry_run' | 'views_per_second' | 'visitors'>>;

export type PastDecisions = {
  decisions: PastDecision[];
  /** Time of the oldest that was read, where more may be left of this moment and before it; missing where all was read. */
  oldest?: number;
};

/** Of one item, or of all. Periods that overlap the range. */
export type HotPeriodsQuery = Range & { item?: string; limit: number };

/** A time in which an item was hot by one signal, as one node decided it. */
export type HotPeriod = {
  item: string;
  node: string;
  signal: string;
  since: number;
  /** Undefined while it lasts, and if its end was not recorded. */
  until?: number;
  /** Set if its end was not recorded: when it was over at the latest. */
  lostAt?: number;
  reason: string;
  rule: string;
  dryRun: boolean;
  /** What nginx was told to do. */
  actions: readonly string[];
  /** At the decision. */
  viewsPerSecond?: number;
  visitors?: number;
};
