import type { Moment } from './clock.ts';
import type { Decision, Decisions, Held } from './decisions.ts';
import type { HeavyVisitor } from './heaviest.ts';
import type { Items } from './items.ts';
import type { ItemRule } from './rules.ts';
import type { Shop } from './shop.ts';
import { LEARN_SECONDS, type Signals, SURGE_WINDOWS } from './signals.ts';
import { surprise } from './surge.ts';
import type { Window } from './windows.ts';

/** What is known about an item, and why it is hot or not. */
export type Explained = {
  item: string;
  /** Absent if it has too few views to be tracked. */
  measured?: Measured;
  rule: ItemRule;
  hot: Decision[];
  held: Held[];
  /** Sentences: which conditions it does not meet, and what excludes it. */
  why: string[];
};

export type Measured = {
  windows: Record<Window, Counted>;
  /** Its baseline: newcomers per second. */
  baselinePerSecond: number;
  /** How many times its usual number of visitors the shop has now. */
  shopFactor: number;
  /** For each window: newcomers, the expected number, and S. */
  surge: { window: Window; newcomers: number; expected: number; surprise: number }[];
  heaviest: HeavyVisitor[];
};

/** `isEstimated`: by a sketch, within a few percent, or because views are sampled. */
export type Counted = { views: number; visitors: number; isEstimated: boolean };

export type Ranked = { item: string } & Counted;

export type Explainer = {
  explain(item: string, rule: ItemRule): Explained;
  /** The items with the most views in a window, in descending order. */
  top(count: number, window: Window): Ranked[];
};

type Parts = { moment: Moment; items: Items; shop: Shop; signals: Signals; decisions: Decisions };

export function createExplainer({ moment, items, shop, signals, decisions }: Parts): Explainer {
  const { windows, sketches, heaviest } = items;
  return { explain, top };

  function top(count: number, window: Window): Ranked[] {
    const ranked = Array.from({ length: items.tracked.count() }, (_, i) => {
      const place = items.tracked.at(i);
      items.settle(place);
      return { place, views: windows.views(place, window) };
    });
    return ranked
      .sort((a, b) => b.views - a.views)
      .slice(0, count)
      .map(({ place }) => ({ item: items.nameOf(place), ...counted(place, window) }));
  }

  function explain(item: string, rule: ItemRule): Explained {
    const place = items.placeOf(item);
    const hot = decisions.hot().filter((one) => one.item === item);
    const held = decisions.held().filter((one) => one.item === item);
    const isBanned = decisions.isBanned(item) ? ['it is banned'] : [];
    const isBarred = rule.barred === '' ? [] : [`no signal makes it hot: ${rule.barred}`];
    const isHeld = held.map(({ signal, reason }) => `the cap holds it back as ${signal}: ${reason}`);
    const why = [...isBanned, ...isBarred, ...isHeld];
    if (place === -1) return { item, rule, hot, held, why: [...why, 'it has too few views to be tracked'] };
    items.settle(place);
    const measured = measure(place);
    return { item, measured, rule, hot, held, why: [...why, ...lacksOf(measured, rule, hot)] };
  }

  function measure(place: number): Measured {
    const surge = SURGE_WINDOWS.map((window) => {
      const { visitors, baseline, seconds, shopFactor } = signals.crowdOf(place, window);
      const expected = baseline * seconds * shopFactor;
      return {
        window,
        newcomers: visitors,
        expected,
        surprise: surprise(visitors, expected) / shop.weight(),
      };
    });
    return {
      windows: {
        second: counted(place, 'second'),
        ten: counted(place, 'ten'),
        minute: counted(place, 'minute'),
        fiveMinutes: counted(place, 'fiveMinutes'),
      },
      baselinePerSecond: signals.baselineOf(place),
      shopFactor: signals.crowdOf(place, 'minute').shopFactor,
      surge,
      heaviest: heaviest.of(place),
    };
  }

  /** Used if no better count is available. */
  function counted(place: number, window: Window): Counted {
    const views = windows.views(place, window);
    const isEstimated = shop.weight() > 1;
    if (window === 'second') return { views, visitors: windows.newcomers(place, window), isEstimated };
    if (window === 'ten') return { views, visitors: signals.visitorsOfTen(place), isEstimated };
    const distinct = window === 'minute' ? sketches.minute(place) : sketches.fiveMinutes(place);
    if (distinct < 0) return { views, visitors: windows.newcomers(place, window), isEstimated: true };
    return { views, visitors: Math.min(views, Math.round(distinct * shop.weight())), isEstimated: true };
  }

  function lacksOf({ windows, surge }: Measured, rule: ItemRule, hot: Decision[]): string[] {
    const isHot = (signal: string) => hot.some((one) => one.signal === signal);
    const lacks: string[] = [];
    const perSecond = windows.ten.views / 10;
    if (!isHot('busy') && perSecond < rule.busy.perSecond)
      lacks.push(`not busy: ${perSecond} views/s over 10 s, needs ${rule.busy.perSecond}`);
    if (isHot('surge')) return lacks;
    if (!signals.hasLearnt())
      lacks.push(`no surge: the baseline is known in ${LEARN_SECONDS - moment.second} s`);
    const [best] = surge.toSorted((a, b) => b.surprise - a.surprise);
    if (best !== undefined) lacks.push(`no surge: ${surgeLacks(best, rule)}`);
    return lacks;
  }

  function surgeLacks(
    { window, newcomers, expected, surprise }: Measured['surge'][number],
    rule: ItemRule,
  ): string {
    const { visitors, share, ratio, surprise: least } = rule.surge;
    const shopVisitors = shop.newcomers(window);
    if (newcomers < visitors) return `${newcomers} newcomers, needs ${visitors}`;
    if (newcomers < share * shopVisitors)
      return `${newcomers} of the shop's ${shopVisitors} newcomers, needs ${share * 100} %`;
    if (newcomers < ratio * expected)
      return `${newcomers} newcomers, ${expected.toFixed(1)} expected, needs ${ratio} times as many`;
    return `S is ${surprise.toFixed(1)}, needs ${least}`;
  }
}
