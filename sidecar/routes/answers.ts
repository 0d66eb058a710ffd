import type { CatalogueItem } from '../../event/catalogue-item.ts';
import type {
  CategoryViews,
  HotPeriod,
  ItemViews,
  Ranking,
  Rise,
  RisingQuery,
  Sources,
  TimeLine,
} from '../../store/event-questions.ts';
import type { StageState } from '../flow.ts';

/*
 * What the API answers about items. Plain types, because the page is also built from them. Times are ms since 1970.
 */

/** What the catalogue says about an item; missing if it does not have it. */
type Named = { catalogue?: CatalogueItem };

/** `GET /api/v1/items` */
export type ItemsAnswer = {
  window: string;
  rank: Ranking;
  category?: string;
  search?: string;
  to: number;
  items: (ItemViews & Named)[];
};

/** `GET /api/v1/categories` */
export type CategoriesAnswer = {
  window: string;
  rank: Ranking;
  to: number;
  /** All that was ranked, in all categories. */
  total: number;
  categories: CategoryViews[];
};

/** `GET /api/v1/rising`, with the parameters of the question to the index. */
export type RisingAnswer = Omit<RisingQuery, 'limit'> & {
  /** Time of the first view, to the minute, where there is none before the windows: then there is no whole hour to compare with. */
  first?: number;
  items: (Rise & Named)[];
  /** Why an item is not hot, by item: sentences. Missing where hot items are not looked for. */
  lacks?: Record<string, string[]>;
};

/** `GET /api/v1/item` */
export type ItemAnswer = Named & {
  item: string;
  window: string;
  from: number;
  /** The end of the last interval; it is still growing if this is after `now`. */
  to: number;
  now: number;
  stepMs: number;
  /** Whether the catalogue has it; missing while none is loaded. */
  isListed?: boolean;
  /** Missing if the item was not viewed. */
  views?: ItemViews;
  line: TimeLine;
  referrers: Sources;
  hosts: Sources;
  /** By the parameter `utm_source` of the query string. */
  utmSources: Sources;
  /** The latest first. */
  periods: HotPeriod[];
};

export type KafkaHealth = {
  /** Addresses in the configuration: brokers, or what leads to them. */
  brokers: number;
  /** Since when it accepts no events; missing while it does, as far as anybody has tried. */
  unavailableSince?: number;
  /** When it last accepted some. */
  lastAt?: number;
  /** Events in the topic that are not in the index yet; missing where no sink runs in this process, and while Kafka does not say. */
  behind?: { events: number; askedAt: number };
  /**
   * Views of this host that it accepted later than the newest one in the index was viewed: when it accepted the first of them, and in how
   * many different seconds they came.
   */
  after?: { since: number; seconds: number };
};

/**
 * `GET /api/v1/health`: the way of a view, for people. No addresses, no reasons in the words of other programs: `hotitem status` says why.
 * Totals are since `started`.
 */
export type HealthAnswer = {
  node: string;
  started: number;
  now: number;
  /** Of `captured`, `spooled`, `forwarded` (with Kafka) and `indexed` (where a sink is in this process), in this order. */
  stages: StageState[];
  /** Events in the spool, and how long the oldest has waited. */
  behind: { events: number; oldestMs?: number };
  dead: { events: number; lastAt?: number };
  /** Events that are nowhere; anything but 0 is a defect of hotitem. */
  unaccounted: number;
  losses: { reason: string; views: number; first: number; last: number }[];
  /** Since when nothing is delivered. */
  outage?: { since: number };
  /** Where events are sent; missing without Kafka. */
  kafka?: KafkaHealth;
  /** What `hotitem capture` set. */
  capture: 'on' | 'off' | 'sample' | 'default';
  /** Those that report: the includes of older versions, and the transport `log`, do not. */
  nginx: {
    started: number;
    reportedAt: number;
    captured: number;
    buffered: number;
    dropped: number;
    off: boolean;
  }[];
  /** Whether each part makes progress. */
  parts: { name: string; isReady: boolean }[];
  /** The newest event in the index, if it has any, and when it was asked for it; missing without an index, or while it does not answer. */
  newest?: { time?: number; askedAt: number };
  /** Requests of shoppers for hot items since the start, and when the last were logged; missing where nginx does not log them. */
  hot?: { cached: number; origin: number; at: number };
  /** Items of the catalogue in effect, and when its file was written; missing where none is configured. `failed`: the file of now is not used. */
  catalogue?: { items: number; modified?: number; loading?: true; failed?: true };
  /** Open streams of the page; missing where hot items are not looked for. */
  streams?: { open: number; most: number };
};
