import type { CatalogueItem, CatalogueLookup } from '../../event/catalogue-item.ts';
import type { Route } from '../../service/admin/admin.ts';
import type { EventIndex } from '../../store/event-index.ts';
import { type ItemQuery, RANKINGS, type RisingQuery } from '../../store/event-questions.ts';
import { firstOf } from '../../store/rises.ts';
import type { CategoriesAnswer, ItemAnswer, ItemsAnswer, RisingAnswer } from './answers.ts';
import { choiceOf, filterOf, limitOf, textOf, timeOf, windowOf } from './parameters.ts';
import { createQuestionRoute, type QuestionOptions } from './question-route.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MOST_ITEMS = 10_000;
const MOST_RISING = 100;
const MOST_CATEGORIES = 1_000;
const LONGEST_NAME = 1024;
const MOST_SOURCES = 8;
const MOST_PERIODS = 50;

/** The hour before, in windows as long as the one that is compared. */
const RISING: Omit<RisingQuery, 'to' | 'limit'> = {
  windowMs: 10 * MINUTE_MS,
  windowsBefore: 6,
  leastVisitors: 10,
  leastRatio: 2,
  stepMs: MINUTE_MS,
};

/** Lengths of an interval of a time line, each up to a window. */
const STEPS: readonly { upToMs: number; stepMs: number }[] = [
  { upToMs: 2 * HOUR_MS, stepMs: 10_000 },
  { upToMs: 12 * HOUR_MS, stepMs: MINUTE_MS },
  { upToMs: 60 * HOUR_MS, stepMs: 5 * MINUTE_MS },
  { upToMs: Number.POSITIVE_INFINITY, stepMs: HOUR_MS },
];

export type ItemRouteOptions = QuestionOptions & {
  /** Why an item is not hot; missing where hot items are not looked for. */
  lacksOf?: ((item: string) => string[]) | undefined;
  /** What the catalogue says about an item. */
  lookUp: CatalogueLookup;
  /** Whether the catalogue has an item; undefined while none is loaded. */
  isListed: (item: string) => boolean | undefined;
};

/** What the API answers about items. */
export function createItemRoutes(options: ItemRouteOptions): Record<string, Route> {
  const { now, lacksOf, lookUp, isListed } = options;
  return {
    '/api/v1/items': createQuestionRoute(options, itemsQuestion),
    '/api/v1/categories': createQuestionRoute(options, categoriesQuestion),
    '/api/v1/rising': createQuestionRoute(options, risingQuestion),
    '/api/v1/item': createQuestionRoute(options, itemQuestion),
  };

  /**
   * `?window=5m&limit=20&rank=people&category=Shoes&search=red`: the most viewed items of a recent window, in descending order, each with
   * what the catalogue says about it now.
   */
  function itemsQuestion(url: URL) {
    const { window, windowMs } = windowOf(url, '5m');
    const limit = limitOf(url, 20, MOST_ITEMS);
    const rank = choiceOf(url, 'rank', RANKINGS);
    const category = filterOf(url, 'category');
    const search = filterOf(url, 'search');
    const selected = { ...(category !== undefined && { category }), ...(search !== undefined && { search }) };
    return { key: JSON.stringify([window, limit, rank, selected]), cost: windowMs, answer };

    async function answer(index: EventIndex, signal: AbortSignal): Promise<ItemsAnswer> {
      const to = now() + 1;
      const items = await index.topItems({ from: to - windowMs, to, limit, rank, ...selected }, signal);
      return { window, rank, ...selected, to, items: items.map(named) };
    }
  }

  /** `?window=1h&limit=100&rank=people`: the most viewed categories of a recent window, in descending order. */
  function categoriesQuestion(url: URL) {
    const { window, windowMs } = windowOf(url, '5m');
    const limit = limitOf(url, 100, MOST_CATEGORIES);
    const rank = choiceOf(url, 'rank', RANKINGS);
    return { key: JSON.stringify([window, limit, rank]), cost: windowMs, answer };

    async function answer(index: EventIndex, signal: AbortSignal): Promise<CategoriesAnswer> {
      const to = now() + 1;
      const range = { from: to - windowMs, to };
      const categories = await index.topCategories({ ...range, limit, rank }, signal);
      // Afterwards: what comes in meanwhile must not make a part more than the whole.
      const { views, all } = await index.totals(range, signal);
      return { window, rank, to, total: rank === 'people' ? views : all, categories };
    }
  }

  /** `?limit=50`: items with far more visitors in the last ten minutes than in the hour before. */
  function risingQuestion(url: URL) {
    const limit = limitOf(url, 50, MOST_RISING);
    return { key: `${limit}`, cost: RISING.windowMs * (RISING.windowsBefore + 1), answer };

    async function answer(index: EventIndex, signal: AbortSignal): Promise<RisingAnswer> {
      const to = now() + 1;
      const items = await index.rising({ ...RISING, to, limit }, signal);
      const first = items.length === 0 ? undefined : await firstView(index, to, signal);
      const lacks = lacksOf && Object.fromEntries(items.map(({ item }) => [item, lacksOf(item)]));
      const found = { to, ...(first !== undefined && { first }), items: items.map(named) };
      return { ...RISING, ...found, ...(lacks !== undefined && { lacks }) };
    }
  }

  /** Undefined where there are views before the hour that is compared with. By the minutes of the clock, so that it stays the same. */
  async function firstView(index: EventIndex, to: number, signal: AbortSignal): Promise<number | undefined> {
    const { stepMs, windowMs } = RISING;
    const compared = firstOf({ ...RISING, to });
    const from = Math.floor((compared - windowMs) / stepMs) * stepMs;
    const { all } = await index.timeLine({ from, to, stepMs }, signal);
    const first = from + all.findIndex((views) => views > 0) * stepMs;
    return first < compared ? undefined : first;
  }

  /** `?item=4711&window=1h`: one item, up to now or up to the time `to`. */
  function itemQuestion(url: URL) {
    const item = textOf(url, 'item', LONGEST_NAME);
    const { window, windowMs } = windowOf(url, '1h');
    const until = timeOf(url, 'to');
    return { key: JSON.stringify([item, window, until]), cost: windowMs, answer };

    async function answer(index: EventIndex, signal: AbortSignal): Promise<ItemAnswer> {
      const at = now();
      const { from, to, stepMs } = intervalsOf(windowMs, until ?? at + 1);
      const query: ItemQuery = { item, from, to };
      const line = await index.timeLine({ ...query, stepMs }, signal);
      const referrers = await index.sources({ ...query, by: 'referrer', limit: MOST_SOURCES }, signal);
      const hosts = await index.sources({ ...query, by: 'host', limit: MOST_SOURCES }, signal);
      const utmSources = await index.sources({ ...query, by: 'utm_source', limit: MOST_SOURCES }, signal);
      // Last: what comes in meanwhile must not make its parts more than the whole.
      const views = await index.itemViews(query, signal);
      const periods = await index.hotPeriods({ ...query, limit: MOST_PERIODS }, signal);
      const range = { window, from, to, now: at, stepMs };
      const counted = views === undefined ? {} : { views };
      const listed = isListed(item);
      const known = listed === undefined ? {} : { isListed: listed };
      const sources = { referrers, hosts, utmSources };
      return { ...named({ item }), ...known, ...range, ...counted, line, ...sources, periods };
    }
  }

  function named<One extends { item: string }>(one: One): One & { catalogue?: CatalogueItem } {
    const catalogue = lookUp(one.item);
    return catalogue === undefined ? one : { ...one, catalogue };
  }
}

/** Whole intervals of the clock, so that a line does not change its shape while time goes on; the last contains `until`. */
function intervalsOf(windowMs: number, until: number): { from: number; to: number; stepMs: number } {
  const stepMs = STEPS.find(({ upToMs }) => windowMs <= upToMs)?.stepMs ?? HOUR_MS;
  const to = Math.ceil(until / stepMs) * stepMs;
  return { from: to - Math.ceil(windowMs / stepMs) * stepMs, to, stepMs };
}
