import { mix } from '../event/mix.ts';
import { createAdmission, NOT_TRACKED, RISES } from './admission.ts';
import { baselineOf, createBaselines, pastSeconds } from './baselines.ts';
import { createClock, TICKS_A_SECOND } from './clock.ts';
import type { Decisions, RuleSignal } from './decisions.ts';
import { createHyperLogLog } from './hyperloglog.ts';
import { createPairFilter } from './pair-filter.ts';
import { createShop } from './shop.ts';
import { type Crowd, isCrowd, shopFactorOf, surgeOf } from './surge.ts';
import { createTracked } from './tracked.ts';
import { createWindows, secondsOf, VIEWS, VISITORS, type Window } from './windows.ts';

/*
 * Which items are hot, as the views come. A view costs a few hashed places in tables of fixed size; nothing is allocated for it and
 * nothing waits for a tick. Whether an item becomes hot is looked at once a batch, whether it cools on the tick.
 */

export type Heat = {
  /** Tells the time, ms since 1970: before each batch and every `TICK_MS`. */
  advance(now: number): void;
  /**
   * One new view of an item, known by two words of 32 scattered bits, by a visitor, known by one. `weight`: how many views it stands for.
   * `time`: when nginx saw it, ms since 1970.
   */
  observe(high: number, low: number, visitor: number, weight: number, isBot: boolean, time: number): void;
  /** Looks at the items that were viewed since the last call, and enters those that are hot. */
  decide(): void;
  /** The items with the most views in a window, the most first. Looks at all that are tracked. */
  top(count: number, window: Window): Ranked[];
  stats(): HeatStats;
};

export type Ranked = { item: string; views: number; visitors: number };

export type HeatStats = {
  observed: number;
  /** Too old or too far ahead to count. */
  late: number;
  tracked: number;
  promoted: number;
  /** Views that it takes to be tracked. */
  bar: number;
  bytes: number;
};

export type HeatOptions = {
  /** When it starts, ms since 1970. */
  now: number;
  /** The name of the item that is being observed: asked for when it begins to be tracked. */
  nameOf: () => string;
  decisions: Decisions;
  /** Items that are tracked at once. */
  places?: number;
};

const PLACES = 8_192;
/**
 * Views in ten to twenty seconds that make an item worth a place, while there is room. With four, nothing is known of what is usual for
 * an item of a view in five seconds, and a shop that wakes up makes a surge of it.
 */
const TRACKED_FROM = 2;
/** Of one visitor in ten seconds; what comes on top is his alone. */
const COUNTED_OF_A_VISITOR = 10;
const PAIR_TICKS = 10 * TICKS_A_SECOND;
/** What is not viewed twice in five minutes leaves its place. */
const COLD_VIEWS = 2;
const COLD_TICKS = 300 * TICKS_A_SECOND;
/** Each place is looked at once in ten seconds. */
const COLD_PARTS = 100;

/** Until this many seconds after a start nothing is known of what is usual. */
const LEARN_SECONDS = 180;
/** Until then windows are not full: what is hot may look cool. */
const COOL_TICKS = 60 * TICKS_A_SECOND;
/** More at once is no time that passes, but a clock that is set, or a process that slept. */
const MOST_TICKS = 5 * TICKS_A_SECOND;

const SURGE_WINDOWS: Window[] = ['second', 'ten', 'minute'];
/** A cache of one second makes about one request a second of them. */
const BUSY_PER_SECOND = 20;
const BUSY_ENDS_PER_SECOND = 5;
const SURGE_ENDS_AT = 2;

export function createHeat({ now, nameOf, decisions, places = PLACES }: HeatOptions): Heat {
  const clock = createClock(now);
  const admission = createAdmission(places);
  const windows = createWindows(places);
  const baselines = createBaselines(places);
  const pairs = createPairFilter();
  const itemsSeen = createHyperLogLog();
  const names: string[] = new Array(places).fill('');
  const hotBy = new Uint8Array(places);
  const settledAt = new Int32Array(places);
  const heldAt = new Int32Array(places);
  const isViewed = new Uint8Array(places);
  const viewed = new Int32Array(places);
  const tracked = createTracked({ places, views: TRACKED_FROM, mayLeave: (place) => hotBy[place] === 0 });
  let viewedCount = 0;
  let tick = clock.tick();
  const shop = createShop(tick);
  let wall = now;
  /** Ticks that have passed, whatever the clock did. */
  let elapsed = 0;
  let coolFrom = tick + COOL_TICKS;
  let items = 1;
  let [observed, late, promoted, looked] = [0, 0, 0, 0];
  return { advance, observe, decide, top, stats };

  function observe(
    high: number,
    low: number,
    visitor: number,
    weight: number,
    isBot: boolean,
    time: number,
  ): void {
    observed++;
    const at = clock.tickOf(time);
    if (at === -1) {
      late++;
      return;
    }
    itemsSeen.add(high, low);
    const found = admission.count(high, low, weight, tracked.bar());
    const place = found <= RISES ? promote(RISES - found, low) : found;
    if (place === NOT_TRACKED) {
      if (!isBot) shop.add(at, weight);
      return;
    }
    settle(place);
    if (isViewed[place] === 0) {
      isViewed[place] = 1;
      viewed[viewedCount++] = place;
    }
    if (isBot) {
      windows.add(place, at, weight, 0, 0);
      return;
    }
    const seen = pairs.count(mix(visitor ^ low));
    const visitors = seen === 1 ? weight : 0;
    windows.add(place, at, weight, seen <= COUNTED_OF_A_VISITOR ? weight : 0, visitors);
    if (visitors !== 0) shop.add(at, weight);
  }

  function promote(cell: number, low: number): number {
    const place = tracked.take(tick);
    if (place === -1) return NOT_TRACKED;
    promoted++;
    admission.track(cell, low, place);
    names[place] = nameOf();
    windows.begin(place, tick);
    baselines.begin(place, 0, second());
    settledAt[place] = tick;
    return place;
  }

  /** Its windows end now. */
  function settle(place: number): void {
    if (settledAt[place] === tick) return;
    settledAt[place] = tick;
    const left = windows.advance(place, tick);
    if (left > 0) baselines.add(place, left, second());
  }

  function second(): number {
    return (elapsed / TICKS_A_SECOND) | 0;
  }

  function advance(to: number): void {
    const before = tick;
    const moved = clock.advance(to);
    wall = to;
    if (moved.back) startAgain(moved.tick);
    if (moved.tick === before) return;
    tick = moved.tick;
    const passed = tick - before;
    if (passed > MOST_TICKS) coolFrom = tick + COOL_TICKS;
    for (let i = 0; i < Math.min(passed, MOST_TICKS); i++) passTick();
    shop.advance(tick, second());
    tracked.makeRoom(tick, viewsOfTen, fall);
    decisions.advance(to);
    cool();
  }

  function passTick(): void {
    elapsed++;
    admission.sweep();
    dropCold();
    if (elapsed % PAIR_TICKS === 0) pairs.turn();
    if (elapsed % TICKS_A_SECOND === 0) items = Math.max(1, itemsSeen.estimate());
  }

  /** The clock was set back: what was counted lies ahead of it. Windows are empty rather than wrong. */
  function startAgain(at: number): void {
    shop.startAgain(at);
    tracked.startAgain(at);
    for (let i = 0; i < tracked.count(); i++) {
      const place = tracked.at(i);
      windows.begin(place, at);
      settledAt[place] = at;
    }
    coolFrom = at + COOL_TICKS;
  }

  function dropCold(): void {
    // Windows that are not full yet make everything look cold.
    if (tick < coolFrom) return;
    const part = Math.ceil(tracked.count() / COLD_PARTS);
    for (let i = 0; i < part && tracked.count() > 0; i++) {
      const place = tracked.at(looked++ % tracked.count());
      if (hotBy[place] !== 0 || tick - tracked.since(place) < COLD_TICKS) continue;
      settle(place);
      if (windows.sum(place, 'fiveMinutes', VIEWS) < COLD_VIEWS) fall(place);
    }
  }

  function fall(place: number): void {
    admission.forget(place);
    tracked.leave(place);
  }

  function viewsOfTen(place: number): number {
    settle(place);
    return windows.sum(place, 'ten', VIEWS);
  }

  function decide(): void {
    for (let i = 0; i < viewedCount; i++) {
      const place = viewed[i] ?? 0;
      isViewed[place] = 0;
      settle(place);
      // The cap holds it back until something leaves, which the tick sees to.
      if (heldAt[place] === tick) continue;
      if (!isHot(place, 'busy')) lookWhetherBusy(place);
      if (!isHot(place, 'surge')) lookWhetherSurge(place);
    }
    viewedCount = 0;
  }

  function lookWhetherBusy(place: number): void {
    const views = windows.sum(place, 'ten', VIEWS);
    if (views < BUSY_PER_SECOND * 10) return;
    enter(place, 'busy', views / 10, () => {
      const visitors = windows.sum(place, 'ten', VISITORS);
      return `${number(windows.sum(place, 'ten', VIEWS) / 10)} views/s over 10 s, ${number(visitors)} visitors in 10 s`;
    });
  }

  function lookWhetherSurge(place: number): void {
    if (second() < LEARN_SECONDS) return;
    for (const window of SURGE_WINDOWS) {
      if (!isCrowd(windows.sum(place, window, VISITORS), shop.visitors(window))) continue;
      const crowd = crowdOf(place, window);
      if (surgeOf(crowd) === 0) continue;
      enter(place, 'surge', crowd.visitors / crowd.seconds, () => {
        const times = crowd.visitors / (crowd.baseline * crowd.seconds);
        return `${number(crowd.visitors)} visitors in ${seconds(crowd.seconds)}, ${number(times)} × its baseline of ${number(crowd.baseline)}/s`;
      });
      return;
    }
  }

  function crowdOf(place: number, window: Window): Crowd {
    const visitors = windows.sum(place, window, VISITORS);
    const length = secondsOf(window, tick);
    const shopVisitors = shop.visitors(window);
    const others = shop.usual(second(), baselines.stored(place, second()));
    const shopFactor = shopFactorOf((shopVisitors - visitors) / length, others);
    return {
      visitors,
      seconds: length,
      shopVisitors,
      baseline: baseline(place),
      shopFactor,
      weight: shop.weight(),
    };
  }

  /** Visitors a second. */
  function baseline(place: number): number {
    const prior = Math.max(shop.usual(second(), 0), shop.visitors('minute') / 60) / items;
    const visitors = baselines.stored(place, second());
    return baselineOf({ visitors, past: pastSeconds(second()), prior });
  }

  function enter(place: number, signal: RuleSignal, strength: number, explain: () => string): void {
    const item = names[place] ?? '';
    const outcome = decisions.enter({ item, signal, strength, explain }, wall);
    if (outcome === 'held') heldAt[place] = tick;
    if (outcome === 'entered' || outcome === 'there') hotBy[place] = (hotBy[place] ?? 0) | bitOf(signal);
  }

  function cool(): void {
    if (tick < coolFrom) return;
    for (let i = 0; i < tracked.count(); i++) {
      const place = tracked.at(i);
      if (hotBy[place] !== 0) coolItem(place);
    }
  }

  function coolItem(place: number): void {
    settle(place);
    const item = names[place] ?? '';
    const views = windows.sum(place, 'minute', VIEWS) / 60;
    const visitors = windows.sum(place, 'minute', VISITORS) / 60;
    const isOver = { busy: views < BUSY_ENDS_PER_SECOND, surge: visitors < SURGE_ENDS_AT * baseline(place) };
    for (const signal of ['busy', 'surge'] as const) {
      if (!isHot(place, signal)) continue;
      decisions.update(item, signal, signal === 'busy' ? views : visitors);
      if (isOver[signal]) decisions.leave(item, signal, wall);
      if (!decisions.isHot(item, signal)) hotBy[place] = (hotBy[place] ?? 0) & ~bitOf(signal);
    }
  }

  function isHot(place: number, signal: RuleSignal): boolean {
    return ((hotBy[place] ?? 0) & bitOf(signal)) !== 0;
  }

  function top(count: number, window: Window): Ranked[] {
    const ranked = Array.from({ length: tracked.count() }, (_, i): Ranked => {
      const place = tracked.at(i);
      settle(place);
      const views = windows.sum(place, window, VIEWS);
      return { item: names[place] ?? '', views, visitors: windows.sum(place, window, VISITORS) };
    });
    return ranked.sort((a, b) => b.views - a.views).slice(0, count);
  }

  function stats(): HeatStats {
    const tables: { bytes: number }[] = [admission, windows, pairs, shop];
    return {
      observed,
      late,
      tracked: tracked.count(),
      promoted,
      bar: tracked.bar(),
      bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }
}

function bitOf(signal: RuleSignal): number {
  return signal === 'busy' ? 1 : 2;
}

/** Three digits say enough. */
function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

function seconds(value: number): string {
  return `${Number(value.toFixed(1))} s`;
}
