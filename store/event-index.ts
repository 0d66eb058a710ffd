import type { HotDecision } from '../event/decision-fields.ts';
import type { HotItemEvent } from '../event/event.ts';

/** Where events, or decisions, are once each, by their id. */
export type Index<One> = {
  /**
   * Creates each that is not there yet. Returns one outcome for each, in their order. Goes through `some` before it sends
   * any, in as many turns of the event loop as that takes, and keeps none that it need not: they may be made one by one. `undefined`
   * is none, and has no outcome: its record took time to read all the same.
   * Throws an `IndexUnavailable` when nothing can be said about any of them: try the same again later.
   */
  create(some: Iterable<One | undefined>): Promise<Outcome[]>;
  /** Why it can neither take nor say anything now; undefined while it can. Missing where only an attempt would tell. */
  failure?(): string | undefined;
  close(): Promise<void>;
};

export type DecisionIndex = Index<HotDecision>;

/** Where events can be asked about: Elasticsearch or DuckDB. */
export type EventIndex = Index<HotItemEvent> & {
  /**
   * The most viewed items with `from <= time < to` (both ms since 1970), most viewed first. When `signal` fires the index is told to
   * give the query up, and its reason is thrown as soon as nothing of it runs here any more.
   */
  topItems(query: RankingQuery, signal?: AbortSignal): Promise<ItemViews[]>;
};

export type Outcome =
  | { status: 'created' }
  | { status: 'exists' }
  /** Dropped on purpose, by an ingest pipeline. `reason` is a label of metrics. */
  | { status: 'dropped'; reason: string }
  /** Not now: the same event may be created later. */
  | { status: 'retry'; reason: string; why?: Refusal }
  /** This event will never be taken. */
  | { status: 'rejected'; reason: string };

/** What items are ranked by: views by people, or whatever asked for them. Only items that have some are listed. */
export const RANKINGS = ['people', 'all'] as const;
export type Ranking = (typeof RANKINGS)[number];

export type RankingQuery = {
  from: number;
  to: number;
  limit: number;
  rank?: Ranking;
  /** Only views that were indexed with this category of their item. */
  category?: string | undefined;
  /** Only items whose id, or name, contains this text in any case. */
  search?: string | undefined;
};

/** How often an item was asked for. Each event counts with its weight, in one of the first four numbers. */
export type ItemViews = {
  item: string;
  /** Views by people: GETs of the page that are nothing else (`kindOf`), with a user agent that is no bot's. */
  views: number;
  /** The same by bots. */
  bots: number;
  /** Fetched ahead, by whomever. */
  prefetches: number;
  /** Parts of the page, its headers, other methods. */
  others: number;
  all: number;
  /** Distinct visitors (`visitorOf`) among the views by people, approximate. */
  visitors: number;
  /** Time of the latest of what is ranked, ms since 1970. */
  last: number;
};

/**
 * Why an index accepts nothing at the moment. `away`: it does not answer. `overloaded`: less at once may work.
 * `refused`: because of a login, a permission, a block or a missing template; a person must fix that.
 */
export type Refusal = 'away' | 'overloaded' | 'refused';

/** The index gave no answer to the request. Always retriable. */
export class IndexUnavailable extends Error {
  override name = 'IndexUnavailable';
  readonly why: Refusal;

  constructor(message: string, { cause, why = 'away' }: { cause?: unknown; why?: Refusal } = {}) {
    super(message, { cause });
    this.why = why;
  }
}
