import type { Admission } from './admission.ts';
import { createBaselines, createRemembered } from './baselines.ts';
import { type Moment, TICKS_A_SECOND } from './clock.ts';
import type { RuleSignal } from './decision.ts';
import { createHeaviest, type Heaviest } from './heaviest.ts';
import { DEFAULT_RULE, type ItemRule, type Rules } from './rules.ts';
import { createSketches, type Sketches } from './sketches.ts';
import { createTracked, type Tracked } from './tracked.ts';
import { createWindows, NEWCOMERS, VIEWS, type Windows } from './windows.ts';

/*
 * The tracked items. Each has a place: its name, its rule, its windows, its baseline, and its heaviest visitors. A place is advanced to the
 * current tick only when it is read.
 */
export type Items = {
  windows: Windows;
  tracked: Tracked;
  sketches: Sketches;
  heaviest: Heaviest;
  /** Starts to track an item. Returns its place, or -1 if there is none. */
  promote(cell: number, low: number, name: string): number;
  /** Ends the item's windows now. */
  settle(place: number): void;
  nameOf(place: number): string;
  ruleOf(place: number): ItemRule;
  /** The place of a tracked item, or -1. Scans all places. */
  placeOf(name: string): number;
  /** Past newcomers of an item, decayed. */
  past(place: number): number;
  /** Whether it is hot by one signal, or by any. */
  isHot(place: number, signal?: RuleSignal): boolean;
  setHot(place: number, signal: RuleSignal, isHot: boolean): void;
  /** The work of one tick: checks some of the places. */
  passTick(): void;
  /** Frees places when few are left. */
  makeRoom(): void;
  /** The clock was set: windows are empty, and no item is known to be cold until they are full again. */
  startAgain(): void;
  /** Replaces the rules: at once for items that become tracked, within two seconds for all. */
  setRules(rules: Rules): void;
  /** The baseline of each item that has one. */
  baselines(): Baseline[];
  bytes: number;
};

/** Past newcomers, decayed. */
export type Baseline = { item: string; visitors: number };

export type ItemsOptions = {
  places: number;
  moment: Moment;
  admission: Admission;
  rules: Rules;
  /** From before a restart. */
  stored: readonly Baseline[];
};

/**
 * Views in ten to twenty seconds that an item needs to be tracked, while there is room. With four, an item with one view in five seconds
 * would have no baseline, and a shop that wakes up would turn it into a surge.
 */
const TRACKED_FROM = 2;
const BITS: Record<RuleSignal, number> = { busy: 1, surge: 2, concentrated: 4 };
const ANY = 7;
/** An item with fewer than two views in five minutes loses its place. */
const COLD_VIEWS = 2;
const COLD_TICKS = 300 * TICKS_A_SECOND;
/** Each place is checked once in ten seconds. */
const COLD_PARTS = 100;
/** Until then windows are not full, and an item may look cold. */
const FILL_TICKS = 60 * TICKS_A_SECOND;
/** After a replacement, the number of places per tick whose rule is resolved. */
const RESOLVED_A_TICK = 512;

export function createItems(options: ItemsOptions): Items {
  const { places, moment, admission } = options;
  const names: string[] = new Array(places).fill('');
  const rulesOf: ItemRule[] = new Array(places).fill(DEFAULT_RULE);
  const hotBy = new Uint8Array(places);
  const windows = createWindows(places);
  const baselines = createBaselines(places);
  const remembered = createRemembered(places);
  const sketches = createSketches({
    places,
    viewsOf(place, window) {
      settle(place);
      return windows.views(place, window);
    },
  });
  const heaviest = createHeaviest(places);
  const tracked = createTracked({ places, views: TRACKED_FROM, mayLeave: (place) => hotBy[place] === 0 });
  for (const { item, visitors } of options.stored.slice(0, places))
    remembered.put(item, visitors, moment.second);
  let rules = options.rules;
  let resolved = places;
  let looked = 0;
  let coldFrom = moment.tick + FILL_TICKS;
  return {
    windows,
    tracked,
    sketches,
    heaviest,
    promote(cell, low, name) {
      const place = tracked.take(moment.tick);
      if (place === -1) return place;
      admission.track(cell, low, place);
      names[place] = name;
      rulesOf[place] = rules.rulesFor(name);
      windows.begin(place, moment.tick);
      baselines.begin(place, remembered.take(name, moment.second), moment.second);
      hotBy[place] = 0;
      return place;
    },
    settle,
    nameOf: (place) => names[place] ?? '',
    ruleOf: (place) => rulesOf[place] ?? DEFAULT_RULE,
    placeOf(name) {
      for (let i = 0; i < tracked.count(); i++) if (names[tracked.at(i)] === name) return tracked.at(i);
      return -1;
    },
    past: (place) => baselines.past(place, moment.second),
    isHot: (place, signal) => ((hotBy[place] ?? 0) & (signal === undefined ? ANY : BITS[signal])) !== 0,
    setHot(place, signal, isHot) {
      const others = (hotBy[place] ?? 0) & ~BITS[signal];
      hotBy[place] = isHot ? others | BITS[signal] : others;
    },
    passTick() {
      resolveSome();
      dropCold();
    },
    makeRoom: () => tracked.makeRoom(moment.tick, viewsOfTen, fall),
    startAgain() {
      tracked.startAgain(moment.tick);
      coldFrom = moment.tick + FILL_TICKS;
    },
    setRules(replaced) {
      rules = replaced;
      resolved = 0;
    },
    baselines() {
      const all = Array.from({ length: tracked.count() }, (_, i) => {
        const place = tracked.at(i);
        return { item: names[place] ?? '', visitors: baselines.past(place, moment.second) };
      });
      return [
        ...all.filter(({ visitors }) => visitors >= 1),
        ...remembered.all(moment.second).reverse(),
      ].slice(0, places);
    },
    bytes: windows.bytes + sketches.bytes,
  };

  function settle(place: number): void {
    const left = windows.advance(place, moment.tick);
    if (left > 0) baselines.add(place, left, moment.second);
  }

  function viewsOfTen(place: number): number {
    settle(place);
    return windows.ten(place, VIEWS);
  }

  function resolveSome(): void {
    const end = Math.min(places, resolved + RESOLVED_A_TICK);
    for (; resolved < end; resolved++) rulesOf[resolved] = rules.rulesFor(names[resolved] ?? '');
  }

  function dropCold(): void {
    if (moment.tick < coldFrom) return;
    const part = Math.ceil(tracked.count() / COLD_PARTS);
    for (let i = 0; i < part && tracked.count() > 0; i++) {
      const place = tracked.at(looked++ % tracked.count());
      if (hotBy[place] !== 0 || moment.tick - tracked.since(place) < COLD_TICKS) continue;
      settle(place);
      if (windows.views(place, 'fiveMinutes') < COLD_VIEWS) fall(place);
    }
  }

  function fall(place: number): void {
    admission.forget(place);
    sketches.forget(place);
    heaviest.forget(place);
    const visitors = baselines.past(place, moment.second) + windows.minute(place, NEWCOMERS);
    remembered.put(names[place] ?? '', visitors, moment.second);
    tracked.leave(place);
  }
}
