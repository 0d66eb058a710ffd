import { baselineOf, pastSeconds } from './baselines.ts';
import { type Moment, TICKS_A_SECOND } from './clock.ts';
import { type Reason, RULE_SIGNALS, type RuleSignal } from './decision.ts';
import type { Decisions } from './decisions.ts';
import type { Due } from './due.ts';
import type { Items } from './items.ts';
import { busyReason, concentratedReason, surgeReason } from './reasons.ts';
import type { ItemRule } from './rules.ts';
import type { Shop } from './shop.ts';
import { type Crowd, isCrowd, type SurgeThresholds, shopFactorOf, surgeOf } from './surge.ts';
import { BY_PEOPLE, NEWCOMERS, secondsOf, VIEWS, VISITORS, type Window } from './windows.ts';

/*
 * Decides whether an item is busy, a surge or concentrated. Entering is checked within the batch, for items that were viewed; leaving is
 * checked on the tick.
 */
export type Signals = {
  /** The place is newly taken: signals that its item had before a restart continue. */
  take(place: number): void;
  /** Prepares the checks of a batch: notes the counts of the shop. */
  beginLook(): void;
  /**
   * Checks whether an item enters. It must be advanced to the current tick. It is due again after `most` views, or as soon as it can enter
   * then.
   */
  look(place: number, most: number): void;
  /** Checks whether hot items leave. */
  cool(): void;
  /** Windows are empty: nothing leaves before they are full. */
  startAgain(): void;
  /** Whether the baselines are old enough. */
  hasLearnt(): boolean;
  /** The baseline of an item: newcomers per second. */
  baselineOf(place: number): number;
  crowdOf(place: number, window: Window): Crowd;
  /** Distinct visitors in ten seconds. */
  visitorsOfTen(place: number): number;
  /** Whether few visitors make many views; `part` scales the threshold. */
  isConcentrated(place: number, part?: number): boolean;
};

export type SignalsOptions = {
  places: number;
  moment: Moment;
  items: Items;
  shop: Shop;
  decisions: Decisions;
  due: Due;
  /** Distinct items that were ever viewed. */
  itemsSeen: () => number;
};

/** Seconds after a start in which no baseline is known. */
export const LEARN_SECONDS = 180;
/** Until then windows are not full, and a hot item may look cold. */
const COOL_TICKS = 60 * TICKS_A_SECOND;
export const SURGE_WINDOWS = ['second', 'ten', 'minute'] as const;
/** From this part of the threshold of `concentrated` on, the heaviest visitors of an item are counted. */
export const WATCHED_FROM = 0.5;
const CONCENTRATED_ENDS = 0.5;
/** An item that the cap holds back is checked again after this time. In a large shop, the cap holds back hundreds of items. */
const HELD_TICKS = 3;
/** What a rule or a signal that ended changes is noticed after this time, if nothing else makes the item due. */
const REST_TICKS = 4;
/** The shop's visitors may fall to this part before all items are due again: what is a surge depends on them. */
const SHOP_FALLS = 0.7;

export function createSignals(options: SignalsOptions): Signals {
  const { places, moment, items, shop, decisions, due, itemsSeen } = options;
  const { windows, tracked, heaviest } = items;
  /** The tick from which a refused item is checked again. */
  const asksFrom = { busy: ticks(), surge: ticks(), concentrated: ticks() };
  /** Hot since before a restart, and not viewed since. */
  const unseen = new Map<string, RuleSignal[]>();
  for (const signal of RULE_SIGNALS)
    for (const { item } of decisions.hot().filter((one) => one.signal === signal))
      unseen.set(item, [...(unseen.get(item) ?? []), signal]);
  let coolFrom = moment.tick + COOL_TICKS;
  /** Newcomers of the shop. */
  const shopNow = { second: 0, ten: 0, minute: 0 };
  /** The fewest that items at rest take into account. */
  const shopLeast = { second: 0, minute: 0 };
  let couldSurge = hasLearnt();
  /** What a rule asks for, as counts: nearly all items have the same rule. */
  let known: ItemRule | undefined;
  const least = { busy: 0, concentrated: 0, ofTen: 0, ofMinute: 0 };
  return {
    take(place) {
      due.wake(place);
      if (unseen.size === 0) return;
      const item = items.nameOf(place);
      for (const signal of unseen.get(item) ?? []) items.setHot(place, signal, true);
      unseen.delete(item);
    },
    beginLook() {
      for (const window of SURGE_WINDOWS) shopNow[window] = shop.newcomers(window);
      known = undefined;
      wakeWithShop();
    },
    // Only reads counts that share a cache line: nearly all items are ruled out by these.
    look(place, most) {
      const rule = items.ruleOf(place);
      if (rule !== known) learn(rule);
      const views = windows.ten(place, VIEWS);
      if (views >= least.busy && mayEnter(place, 'busy')) lookWhetherBusy(place, views);
      if (views >= least.concentrated) lookWhetherConcentrated(place);
      if (windows.ten(place, NEWCOMERS) >= least.ofTen || windows.minute(place, NEWCOMERS) >= least.ofMinute)
        lookWhetherSurge(place);
      rest(place, views, most);
    },
    cool() {
      if (moment.tick < coolFrom) return;
      for (const [item, signals] of unseen) {
        for (const signal of signals) decisions.leave(item, signal, moment.wall);
        if (!signals.some((signal) => decisions.isHot(item, signal))) unseen.delete(item);
      }
      for (let i = 0; i < tracked.count(); i++) if (items.isHot(tracked.at(i))) coolItem(tracked.at(i));
    },
    startAgain() {
      coolFrom = moment.tick + COOL_TICKS;
      due.wakeAll();
    },
    hasLearnt,
    baselineOf: baseline,
    crowdOf,
    visitorsOfTen,
    isConcentrated,
  };

  function ticks(): Int32Array {
    return new Int32Array(places);
  }

  function wakeWithShop(): void {
    const isLower = shopNow.second < shopLeast.second || shopNow.minute < shopLeast.minute;
    if (isLower || couldSurge !== hasLearnt()) {
      due.wakeAll();
      shopLeast.second = 0;
      shopLeast.minute = 0;
    }
    couldSurge = hasLearnt();
    shopLeast.second = Math.max(shopLeast.second, SHOP_FALLS * shopNow.second);
    shopLeast.minute = Math.max(shopLeast.minute, SHOP_FALLS * shopNow.minute);
  }

  /** Until the item can enter by any signal. A count grows by no more than the views do. */
  function rest(place: number, views: number, most: number): void {
    const { surge, barred } = items.ruleOf(place);
    let left = most;
    let tick = moment.tick + REST_TICKS;
    if (barred === '') {
      if (!items.isHot(place, 'busy')) {
        const asks = asksFrom.busy[place] ?? 0;
        if (asks > moment.tick) tick = Math.min(tick, asks);
        else left = Math.min(left, least.busy - views);
      }
      if (!items.isHot(place, 'concentrated')) {
        if (views < least.concentrated) left = Math.min(left, least.concentrated - views);
        else {
          // Later, visitors may have left the window, and the item may have too few.
          tick = moment.tick + 1;
          left = Math.min(left, leftToConcentrated(place));
        }
      }
      if (!items.isHot(place, 'surge')) {
        const asks = asksFrom.surge[place] ?? 0;
        if (asks > moment.tick) tick = Math.min(tick, asks);
        else if (couldSurge) left = Math.min(left, leftToSurge(place, surge));
      }
    }
    due.rest(place, left, tick);
  }

  /** How many more views it takes in this tick until few visitors make many, if they are by nobody else. */
  function leftToConcentrated(place: number): number {
    const { viewsAVisitor } = items.ruleOf(place).concentrated;
    return WATCHED_FROM * viewsAVisitor * windows.ten(place, VISITORS) - byPeople(place);
  }

  /** How many more newcomers. */
  function leftToSurge(place: number, { visitors, share }: SurgeThresholds): number {
    return Math.min(
      Math.max(visitors, share * shopLeast.second) - windows.ten(place, NEWCOMERS),
      Math.max(visitors, share * shopLeast.minute) - windows.minute(place, NEWCOMERS),
    );
  }

  function lookWhetherBusy(place: number, views: number): void {
    enter(place, 'busy', views / 10, () =>
      busyReason({
        ten: windows.ten(place, VIEWS),
        before: before(place),
        visitors: visitorsOfTen(place),
        about: isSampled(),
      }),
    );
  }

  /** An item with fewer newcomers in ten seconds and in a minute cannot be a surge in any window. */
  function learn(rule: ItemRule): void {
    const { busy, concentrated, surge } = rule;
    known = rule;
    least.busy = busy.perSecond * 10;
    least.concentrated = WATCHED_FROM * concentrated.perSecond * 10;
    const isEarly = !hasLearnt();
    least.ofTen = isEarly ? Number.POSITIVE_INFINITY : Math.max(surge.visitors, surge.share * shopNow.second);
    least.ofMinute = isEarly
      ? Number.POSITIVE_INFINITY
      : Math.max(surge.visitors, surge.share * shopNow.minute);
  }

  function lookWhetherSurge(place: number): void {
    const { surge } = items.ruleOf(place);
    if (!mayEnter(place, 'surge')) return;
    for (const window of SURGE_WINDOWS) {
      if (!isCrowd(windows.newcomers(place, window), shopNow[window], surge)) continue;
      const crowd = crowdOf(place, window);
      if (surgeOf(crowd, surge) === 0) continue;
      enter(place, 'surge', crowd.visitors / crowd.seconds, () =>
        surgeReason({ ...crowd, about: isSampled() }),
      );
      return;
    }
  }

  function lookWhetherConcentrated(place: number): void {
    if (byPeople(place) < least.concentrated || !mayEnter(place, 'concentrated')) return;
    if (!isConcentrated(place, WATCHED_FROM)) return;
    heaviest.watch(place);
    if (!isConcentrated(place)) return;
    enter(place, 'concentrated', byPeople(place) / 10, () =>
      concentratedReason({
        ten: byPeople(place),
        visitors: visitorsOfTen(place),
        heaviest: heaviest.of(place)[0]?.views,
        about: isSampled(),
      }),
    );
  }

  function isConcentrated(place: number, part = 1): boolean {
    const { perSecond, viewsAVisitor } = items.ruleOf(place).concentrated;
    const views = byPeople(place);
    const limit = part * viewsAVisitor;
    // There are at least as many visitors as were observed, which rules out nearly all items.
    if (views < part * perSecond * 10 || views <= limit * Math.max(1, windows.ten(place, VISITORS)))
      return false;
    return views > limit * Math.max(1, visitorsOfTen(place));
  }

  /** Views in ten seconds, without those of bots: a bot is no visitor. */
  function byPeople(place: number): number {
    return windows.ten(place, BY_PEOPLE);
  }

  /** Distinct visitors: each one observed represents as many as a view of the shop does on average. */
  function visitorsOfTen(place: number): number {
    return Math.round(windows.ten(place, VISITORS) * shop.weight());
  }

  function enter(place: number, signal: RuleSignal, strength: number, explain: () => Reason): void {
    const outcome = decisions.enter({ item: items.nameOf(place), signal, strength, explain }, moment.wall);
    if (outcome === 'entered' || outcome === 'there') items.setHot(place, signal, true);
    else asksFrom[signal][place] = moment.tick + (outcome === 'held' ? HELD_TICKS : 1);
  }

  function mayEnter(place: number, signal: RuleSignal): boolean {
    return (
      !items.isHot(place, signal) &&
      moment.tick >= (asksFrom[signal][place] ?? 0) &&
      items.ruleOf(place).barred === ''
    );
  }

  function coolItem(place: number): void {
    items.settle(place);
    const item = items.nameOf(place);
    const rule = items.ruleOf(place);
    const views = windows.minute(place, VIEWS) / 60;
    const viewsByPeople = windows.minute(place, BY_PEOPLE) / 60;
    const newcomers = windows.minute(place, NEWCOMERS) / 60;
    const strength = { busy: views, surge: newcomers, concentrated: viewsByPeople };
    const isOver = {
      busy: views < rule.busy.endsPerSecond,
      surge: newcomers < rule.surge.endsAt * baseline(place),
      concentrated:
        viewsByPeople < CONCENTRATED_ENDS * rule.concentrated.perSecond ||
        !isConcentrated(place, CONCENTRATED_ENDS),
    };
    for (const signal of RULE_SIGNALS) {
      if (!items.isHot(place, signal)) continue;
      decisions.update(item, signal, strength[signal]);
      if (isOver[signal]) decisions.leave(item, signal, moment.wall);
      if (decisions.isHot(item, signal)) continue;
      items.setHot(place, signal, false);
      due.wake(place);
    }
  }

  function crowdOf(place: number, window: Window): Crowd {
    const visitors = windows.newcomers(place, window);
    const seconds = secondsOf(window, moment.tick);
    const shopVisitors = shop.newcomers(window);
    const shopFactor = shopFactorOf((shopVisitors - visitors) / seconds, shop.usual(items.past(place)));
    return {
      visitors,
      seconds,
      shopVisitors,
      baseline: baseline(place),
      shopFactor,
      weight: shop.weight(),
    };
  }

  function baseline(place: number): number {
    const prior = Math.max(shop.usual(0), shop.newcomers('minute') / 60) / itemsSeen();
    return baselineOf({ visitors: items.past(place), past: pastSeconds(moment.second), prior });
  }

  /** Views per second in the minutes before the last ten seconds; undefined for an item that was not tracked then. */
  function before(place: number): number | undefined {
    const seconds = Math.min(300, (moment.tick - tracked.since(place)) / TICKS_A_SECOND) - 10;
    if (seconds < 60) return undefined;
    return (windows.views(place, 'fiveMinutes') - windows.ten(place, VIEWS)) / seconds;
  }

  function hasLearnt(): boolean {
    return moment.second >= LEARN_SECONDS;
  }

  function isSampled(): boolean {
    return shop.weight() > 1;
  }
}
