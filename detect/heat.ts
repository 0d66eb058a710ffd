import { mix } from '../event/mix.ts';
import { createAdmission, NOT_TRACKED, RISES } from './admission.ts';
import { createClock, type Moment, TICKS_A_SECOND } from './clock.ts';
import type { Decisions } from './decisions.ts';
import { createDue, MANY_VIEWS } from './due.ts';
import { createExplainer, type Explained, type Ranked } from './explain.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { HeavyVisitor } from './heaviest.ts';
import { createItems } from './items.ts';
import { COUNT_BITS, createPairFilter, MOST_SEEN, RETURNED } from './pair-filter.ts';
import { compileRules, type Rules } from './rules.ts';
import { createShop } from './shop.ts';
import { createSignals, WATCHED_FROM } from './signals.ts';
import { heatOfViews } from './sketches.ts';
import { type HeatState, usable } from './state.ts';
import { createUltraLogLog } from './ultraloglog.ts';
import { HIGH, IS_BOT, LOW, ROW_BITS, VISITOR, type Views, WEIGHT } from './views.ts';
import { VIEWS, type Window } from './windows.ts';

export type { HeatState, Ranked };

/*
 * Detects hot items in a stream of views. A view costs a few lookups in hash tables of fixed size; it allocates nothing and waits for no
 * tick. Whether an item enters is checked once per batch, whether it leaves on the tick.
 */

export type Heat = {
  /** Sets the time, ms since 1970. Called before each batch and every `TICK_MS`. */
  advance(now: number): void;
  /**
   * Counts one new view. The item is given as two words of 32 scattered bits, the visitor as one. `weight`: how many views it represents.
   * `time`: when nginx received it, ms since 1970.
   */
  observe(high: number, low: number, visitor: number, weight: number, isBot: boolean, time: number): void;
  /** The same for a batch of views. Prefetches memory for dozens of views at once; a single view would wait for each access. */
  observeAll(views: Views): void;
  /** Checks the items viewed since the last call, as far as the views can have made them hot, and enters those that are. */
  decide(): void;
  /** The items with the most views in a window, in descending order. Scans all tracked items. */
  top(count: number, window: Window): Ranked[];
  /** The figures of some items that people are shown. Scans all tracked items. */
  figures(items: ReadonlySet<string>): Figures;
  /** What is known about an item. Scans all tracked items. */
  explain(item: string): Explained;
  /** The visitors with the most views of an item, if few visitors make most of its views: the words passed to `observe`. */
  heaviest(item: string): HeavyVisitor[];
  /** Replaces the rules here and in the decisions. They apply to all items within two seconds. */
  setRules(rules: Rules): void;
  stats(): HeatStats;
  /** What to store for a restart. */
  state(): HeatState;
};

export type HeatStats = {
  observed: number;
  /** Views too old or too far ahead to count. */
  late: number;
  tracked: number;
  promoted: number;
  /** The number of views an item needs to be tracked. */
  bar: number;
  bytes: number;
  /** Whether the baselines are old enough for a surge. */
  hasLearnt: boolean;
};

export type HeatOptions = {
  /** When it starts, ms since 1970. */
  now: number;
  /** Returns the name of the item being observed, by its index in `observeAll`; called when it becomes tracked. */
  nameOf: (index: number) => string;
  decisions: Decisions;
  rules?: Rules;
  /** What `state` returned before a restart; used if it is less than an hour old. */
  stored?: HeatState;
  /** Maximum number of tracked items. */
  places?: number;
};

const PLACES = 8_192;
const CHOICE_TICK = TICKS_A_SECOND / 2;
const PERIOD_TICKS = 10 * TICKS_A_SECOND;
/** If more ticks pass at once, the clock was set or the process was suspended. */
const MOST_TICKS = 5 * TICKS_A_SECOND;
/** The lowest bit of the stamp that admission stores for an item's first view, beside its tick. */
const BOT = 1;
const NOT_IN_SHOP = false;
/** Limit of a view's weight, so that sums fit into 32 bits. */
const MOST_WEIGHT = 10_000;
/** Views whose memory is fetched before the first of them is counted. It fits into the L1 cache. */
const AHEAD = 32;

export function createHeat(options: HeatOptions): Heat {
  const { now, nameOf, decisions, places = PLACES } = options;
  const stored = usable(options.stored, now);
  let rules = options.rules ?? compileRules();
  const clock = createClock(now);
  const moment: Moment = { tick: clock.tick(), second: stored.seconds, wall: now };
  const admission = createAdmission(places);
  const pairs = createPairFilter();
  const sketchOfItems = createUltraLogLog();
  const shop = createShop(moment, stored.shop);
  const items = createItems({ places, moment, admission, rules, stored: stored.items });
  const { windows, tracked, sketches, heaviest } = items;
  let itemsSeen = Math.max(1, stored.itemsSeen);
  const due = createDue(places, moment);
  const signals = createSignals({ places, moment, items, shop, decisions, due, itemsSeen: () => itemsSeen });
  const explainer = createExplainer({ moment, items, shop, signals, decisions });
  const dueNow = new Int32Array(places);
  let dueCount = 0;
  /** Ticks that have passed, unaffected by a clock that is set. */
  let elapsed = 0;
  /** Seconds skipped when the clock was set: a visitor seen before that counts as seen at least a second ago. */
  let skipped = 0;
  let [observed, late, promoted] = [0, 0, 0];
  /** Of the views that are counted next, those of tracked items: row, place, tick and pair of each. */
  const rows = new Int32Array(AHEAD);
  const placesAhead = new Int32Array(AHEAD);
  const ticksAhead = new Int32Array(AHEAD);
  const pairsAhead = new Int32Array(AHEAD);
  const fetched = new Int32Array(2);
  let index = 0;
  return {
    advance,
    observe,
    observeAll,
    decide,
    top: explainer.top,
    figures: (names) => figuresOf(names, { moment, items, signals }),
    explain: (item) => explainer.explain(item, rules.rulesFor(item)),
    heaviest: (item) => heaviest.of(items.placeOf(item)),
    setRules(replaced) {
      rules = replaced;
      items.setRules(rules);
      due.wakeAll();
      decisions.setRules(rules, moment.wall);
    },
    stats: () => ({
      observed,
      late,
      tracked: tracked.count(),
      promoted,
      bar: tracked.bar(),
      bytes: admission.bytes + pairs.bytes + shop.bytes + items.bytes,
      hasLearnt: signals.hasLearnt(),
    }),
    state: () => ({
      at: moment.wall,
      seconds: moment.second,
      itemsSeen,
      shop: shop.past(),
      items: items.baselines(),
    }),
  };

  function observe(
    high: number,
    low: number,
    visitor: number,
    weight: number,
    isBot: boolean,
    time: number,
  ): void {
    const views = Math.min(weight, MOST_WEIGHT);
    const tick = clock.tickOf(time);
    const place = admit(high, low, visitor, views, isBot, tick);
    if (place !== NOT_TRACKED) count(place, pairOf(low, visitor), visitor, views, isBot, tick, NOT_IN_SHOP);
  }

  function observeAll(views: Views): void {
    for (let first = 0; first < views.length; first += AHEAD)
      observeSome(views, first, Math.min(views.length, first + AHEAD));
    index = 0;
  }

  /** In steps that each fetch the memory that the next one needs. */
  function observeSome({ words, times }: Views, first: number, end: number): void {
    fetched[0] = admission.fetch(words, first, end);
    let tracked = 0;
    let time = Number.NaN;
    let tick = 0;
    for (index = first; index < end; index++) {
      const row = index << ROW_BITS;
      const low = words[row + LOW] ?? 0;
      const visitor = words[row + VISITOR] ?? 0;
      // Many views have the time of the one before.
      if (times[index] !== time) {
        time = times[index] ?? 0;
        tick = clock.tickOf(time);
      }
      const views = Math.min(words[row + WEIGHT] ?? 0, MOST_WEIGHT);
      const place = admit(words[row + HIGH] ?? 0, low, visitor, views, words[row + IS_BOT] === 1, tick);
      if (place === NOT_TRACKED) continue;
      rows[tracked] = row;
      placesAhead[tracked] = place;
      ticksAhead[tracked] = tick;
      pairsAhead[tracked++] = pairOf(low, visitor);
    }
    fetched[1] = pairs.fetch(pairsAhead, tracked) ^ windows.fetch(placesAhead, tracked);
    for (let i = 0; i < tracked; i++) {
      const row = rows[i] ?? 0;
      count(
        placesAhead[i] ?? 0,
        pairsAhead[i] ?? 0,
        words[row + VISITOR] ?? 0,
        Math.min(words[row + WEIGHT] ?? 0, MOST_WEIGHT),
        words[row + IS_BOT] === 1,
        ticksAhead[i] ?? 0,
        NOT_IN_SHOP,
      );
    }
  }

  /**
   * Returns the place of a view's item; `NOT_TRACKED` for a view that this call counts, or that is late. Takes a tick, not a time: V8
   * allocates an object to pass a number that large to a function that it does not inline.
   */
  function admit(
    high: number,
    low: number,
    visitor: number,
    views: number,
    isBot: boolean,
    tick: number,
  ): number {
    observed++;
    if (tick === -1) {
      late++;
      return NOT_TRACKED;
    }
    const found = admission.count(high, low, views, tracked.bar(), visitor, (tick << 1) | (isBot ? BOT : 0));
    if (found >= 0) return found;
    sketchOfItems.add(high, low);
    const place = found === NOT_TRACKED ? NOT_TRACKED : promote(RISES - found, low, views);
    if (place === NOT_TRACKED && !isBot) shop.add(tick, views);
    return place;
  }

  function count(
    place: number,
    pair: number,
    visitor: number,
    views: number,
    isBot: boolean,
    tick: number,
    isInShop: boolean,
  ): void {
    items.settle(place);
    if (due.count(place, views)) dueNow[dueCount++] = place;
    if (isBot) {
      windows.add(place, tick, views, 0, 0, 0);
      return;
    }
    heaviest.add(place, visitor, views);
    const second = (tick / TICKS_A_SECOND) | 0;
    const found = pairs.see(pair, second - skipped);
    const seen = found & MOST_SEEN;
    const passed = found >> COUNT_BITS;
    if (seen > 1) {
      windows.add(place, tick, views, views, 0, passed > 0 ? 1 : 0);
    } else {
      sketches.add(place, pair);
      const newcomers = seen === RETURNED ? 0 : views;
      windows.add(place, tick, views, views, newcomers, seen === RETURNED && passed === 0 ? 0 : 1);
      if (newcomers !== 0 && !isInShop) shop.add(tick, newcomers);
    }
    if (passed > 0) windows.forgetVisitor(place, second - passed);
  }

  function promote(cell: number, low: number, views: number): number {
    const before = admission.counted(cell) - views;
    const place = items.promote(cell, low, nameOf(index));
    if (place === NOT_TRACKED) return place;
    promoted++;
    signals.take(place);
    if (before === 1) countFirst(place, cell, low);
    return place;
  }

  /** The item's one earlier view. If there were several, only the first is known. */
  function countFirst(place: number, cell: number, low: number): void {
    const stamp = admission.firstStamp(cell);
    const visitor = admission.firstVisitor(cell);
    count(place, pairOf(low, visitor), visitor, 1, (stamp & BOT) !== 0, stamp >> 1, true);
  }

  function decide(): void {
    signals.beginLook();
    for (let i = 0; i < dueCount; i++) {
      const place = dueNow[i] ?? 0;
      items.settle(place);
      const heat = heatOfViews(windows.ten(place, VIEWS), windows.minute(place, VIEWS));
      signals.look(place, sketches.offer(place, heat) ?? MANY_VIEWS);
    }
    dueCount = 0;
  }

  function advance(to: number): void {
    const before = moment.tick;
    moment.wall = to;
    moment.tick = clock.advance(to);
    const passed = moment.tick - before;
    if (passed === 0) return;
    if (passed > MOST_TICKS) {
      skipped += Math.floor(passed / TICKS_A_SECOND) - 1;
      signals.startAgain();
      items.startAgain();
    }
    for (let i = 0; i < Math.min(passed, MOST_TICKS); i++) passTick();
    shop.advance();
    items.makeRoom();
    decisions.advance(to);
    signals.cool();
  }

  function passTick(): void {
    elapsed++;
    admission.sweep();
    items.passTick();
    if (elapsed % TICKS_A_SECOND === 0) {
      moment.second++;
      itemsSeen = Math.max(itemsSeen, sketchOfItems.estimate());
    }
    // Done in a tick that has little other work.
    if (elapsed % TICKS_A_SECOND === CHOICE_TICK) sketches.choose(tracked.count(), tracked.at);
    if (elapsed % PERIOD_TICKS !== 0) return;
    pairs.turn();
    sketches.turn();
    heaviest.turn((place) => signals.isConcentrated(place, WATCHED_FROM));
  }
}

function pairOf(low: number, visitor: number): number {
  return mix(visitor ^ low);
}
