import { TICK_MS } from './clock.ts';
import { type Change, createDecisions, type Decision, type Held, type PinsAndBans } from './decisions.ts';
import { createHeat, type HeatState, type HeatStats } from './heat.ts';
import { compileRules, type Rules } from './rules.ts';
import { LEARN_SECONDS } from './signals.ts';

/*
 * Answers what would have been hot: past views, ordered by time, pass the same detection with their own times. Nothing reads the clock, so
 * ten minutes take as long as reading them. A view decides at the end of its tick of 100 ms; in a sidecar, at the end of its batch.
 */

/** One view, as words of 32 scattered bits, as `observe` takes them. Valid during the call only: the caller reuses it. */
export type PastView = {
  item(word: 0 | 1): number;
  visitor(): number;
  weight(): number;
  /** True for a bot, or a visitor that cannot be told from others: the view counts as load only. */
  isNobody(): boolean;
  /** ms since 1970. */
  time(): number;
  /** Name of the item. */
  name(): string;
};

export type Backtest = {
  /** Observes a view. A view that is older than the one before it is late, as it would have been live. */
  observe(view: PastView): void;
  finish(): BacktestOutcome;
};

export type BacktestOptions = {
  /** The two words that views of this item have. */
  wordsOf: (item: string) => [high: number, low: number];
  rules?: Rules;
  overrides?: PinsAndBans;
  /** Baselines from before. Without them, nothing is a surge in the first three minutes. */
  stored?: HeatState;
  /** The maximum number of spells, and of held items, in the outcome. */
  most?: number;
};

export type BacktestOutcome = {
  spells: Spell[];
  /** What the cap held back: each item and signal once, from its first time on. */
  held: HeldItem[];
  /** Number of spells beyond `spells`, and whether more was held back than `held` says. */
  untold: { spells: number; held: boolean };
  /** Over all items. A view of an item that is hot by two signals counts once. */
  saved: Saving;
  /** Absent if there was no view. */
  stats?: HeatStats;
  /** Times of the first and the last view; absent if there was none. */
  span?: { from: number; to: number };
  /** Before this time there were no baselines, so nothing could be a surge. */
  surgesFrom?: number;
};

export type HeldItem = Held & { since: number };

/** From the moment an item becomes hot by a signal until it leaves. */
export type Spell = Pick<Decision, 'item' | 'signal' | 'actions' | 'dryRun' | 'since' | 'reason' | 'rule'> & {
  /** ms since 1970; absent if it is still hot. */
  until?: number;
  /** Of the item in that time. */
  views: number;
  /** Absent if `cache` is not among its actions. */
  saved?: Saving;
};

/**
 * What the cache action would have saved the origin: a copy of two seconds answers all `views`, and is refreshed each second, whether
 * there are views or not. `requests` is the difference; it is below zero if there were fewer views than seconds.
 */
export type Saving = { views: number; refreshes: number; requests: number };

/** If nothing happens for longer than this, only the first part of that time passes tick by tick. */
const LONGEST_PAUSE_MS = 600_000;
const REFRESH_MS = 1_000;
const MOST_TOLD = 10_000;
/** Bits of an item's second word; with the 32 of the first they fit into an exact number. */
const LOW_BITS = 20;

/** An item that is hot now. */
type Running = { spells: Spell[]; cached: Cached | undefined };
type Cached = { since: number; views: number };

export function createBacktest(options: BacktestOptions): Backtest {
  const { wordsOf, rules = compileRules(), overrides, stored, most = MOST_TOLD } = options;
  const spells: Spell[] = [];
  const held = new Map<string, HeldItem>();
  const running = new Map<number, Running>();
  const decisions = createDecisions({ rules, onChange });
  let [from, now, tickAt] = [0, 0, 0];
  const untold = { spells: 0, held: false };
  let savedViews = 0;
  let refreshes = 0;
  let observed: PastView | undefined;
  let heat: ReturnType<typeof createHeat> | undefined;
  return { observe, finish };

  function observe(view: PastView): void {
    const time = view.time();
    observed = view;
    heat ??= begin(time);
    if (time >= tickAt) passTime(heat, time);
    if (time > now) now = time;
    const [high, low, weight] = [view.item(0), view.item(1), view.weight()];
    heat.observe(high, low, view.visitor(), weight, view.isNobody(), time);
    if (running.size > 0) count(keyOf(high, low), weight);
  }

  function begin(time: number): ReturnType<typeof createHeat> {
    from = time;
    now = time;
    tickAt = tickAfter(time);
    const known = stored === undefined ? {} : { stored: { ...stored, at: time } };
    const detector = createHeat({
      now: time,
      nameOf: () => observed?.name() ?? '',
      decisions,
      rules,
      ...known,
    });
    if (overrides !== undefined) decisions.setOverrides(overrides, time);
    return detector;
  }

  function passTime(detector: ReturnType<typeof createHeat>, time: number): void {
    detector.decide();
    const end = Math.min(time, tickAt + LONGEST_PAUSE_MS);
    for (; tickAt <= end; tickAt += TICK_MS) detector.advance(tickAt);
    // By now, what was hot has cooled.
    if (end < time) {
      tickAt = tickAfter(time) - TICK_MS;
      detector.advance(tickAt);
      tickAt += TICK_MS;
    }
    noteHeld();
  }

  function onChange({ item, signal, actions, dryRun, since, reason, rule, change }: Change): void {
    const key = keyOf(...wordsOf(item));
    const known = running.get(key) ?? { spells: [], cached: undefined };
    const spell = known.spells.find((one) => one.signal === signal);
    if (change === 'enters') {
      const begun: Spell = { item, signal, actions, dryRun, since, reason, rule, views: 0 };
      known.spells.push(begun);
      running.set(key, known);
      if (isCached(begun)) known.cached ??= { since, views: 0 };
      if (spells.length < most) spells.push(begun);
      else untold.spells++;
    } else if (change === 'leaves' && spell !== undefined) {
      spell.until = tickAt;
      known.spells.splice(known.spells.indexOf(spell), 1);
      if (!known.spells.some(isCached)) endCache(known, tickAt);
      if (known.spells.length === 0) running.delete(key);
    }
  }

  function count(key: number, weight: number): void {
    const known = running.get(key);
    if (known === undefined) return;
    for (const spell of known.spells) spell.views += weight;
    if (known.cached !== undefined) known.cached.views += weight;
  }

  function endCache(known: Running, end: number): void {
    if (known.cached === undefined) return;
    savedViews += known.cached.views;
    refreshes += refreshesIn(known.cached.since, end);
    known.cached = undefined;
  }

  function noteHeld(): void {
    for (const one of decisions.held()) {
      const key = `${one.signal} ${one.item}`;
      if (held.has(key)) continue;
      if (held.size < most) held.set(key, { ...one, since: now });
      else untold.held = true;
    }
  }

  function finish(): BacktestOutcome {
    heat?.decide();
    noteHeld();
    for (const known of running.values()) endCache(known, now);
    for (const spell of spells)
      if (isCached(spell)) spell.saved = saving(spell.views, refreshesIn(spell.since, spell.until ?? now));
    const found = { spells, held: [...held.values()], untold, saved: saving(savedViews, refreshes) };
    if (heat === undefined) return found;
    const surgesFrom = stored === undefined ? from + LEARN_SECONDS * 1_000 : from;
    return { ...found, stats: heat.stats(), span: { from, to: now }, surgesFrom };
  }
}

function isCached({ actions }: Spell): boolean {
  return actions.includes('cache');
}

function refreshesIn(since: number, until: number): number {
  return Math.max(1, Math.ceil((until - since) / REFRESH_MS));
}

function saving(views: number, refreshes: number): Saving {
  return { views, refreshes, requests: views - refreshes };
}

/** Ticks begin at multiples of their length, as in a sidecar. */
function tickAfter(time: number): number {
  return time - (time % TICK_MS) + TICK_MS;
}

/** 52 of the 64 bits: enough for the few items that are hot at once. */
function keyOf(high: number, low: number): number {
  return (high >>> 0) * 2 ** LOW_BITS + (low >>> (32 - LOW_BITS));
}

/** Outcome of one combination of thresholds. */
export type GridOutcome = { busyFrom: number; surprise: number } & Summary;

export type Summary = {
  busy: HotTime;
  surge: HotTime;
  held: number;
  /** Requests saved. */
  saved: number;
};

/** Distinct items that were hot, and for how long in total. */
export type HotTime = { items: number; minutes: number };

export type GridOptions = Omit<BacktestOptions, 'rules' | 'most'> & {
  /** Views/s from which an item is busy, and S from which it is a surge: all combinations are tried. */
  busyFrom: readonly number[];
  surprise: readonly number[];
  rulesOf: (thresholds: { busyFrom: number; surprise: number }) => Rules;
};

export type Grid = { observe(view: PastView): void; finish(): GridOutcome[] };

/** The thresholds that are tried by default. Each combination takes a detector of 30 MB. */
export const GRID: { busyFrom: readonly number[]; surprise: readonly number[] } = {
  busyFrom: [10, 20, 50],
  surprise: [15, 25, 40],
};

/** Tries all combinations of thresholds on the same views, in one pass. */
export function createGrid({ busyFrom, surprise, rulesOf, ...options }: GridOptions): Grid {
  const cells = busyFrom.flatMap((perSecond) =>
    surprise.map((least) => {
      const thresholds = { busyFrom: perSecond, surprise: least };
      return { ...thresholds, backtest: createBacktest({ ...options, rules: rulesOf(thresholds) }) };
    }),
  );
  return {
    observe(view) {
      for (const { backtest } of cells) backtest.observe(view);
    },
    finish: () => cells.map(({ backtest, ...cell }) => ({ ...cell, ...summaryOf(backtest.finish()) })),
  };
}

/** What is compared. */
export function summaryOf({ spells, held, saved, span }: BacktestOutcome): Summary {
  const end = span?.to ?? 0;
  return {
    busy: hotTime(spells, 'busy', end),
    surge: hotTime(spells, 'surge', end),
    held: held.length,
    saved: saved.requests,
  };
}

/** The rule of one combination: it replaces the defaults. */
export function gridRule({ busyFrom, surprise }: { busyFrom: number; surprise: number }) {
  return {
    name: 'grid',
    busy: { perSecond: busyFrom, endsPerSecond: busyFrom / 4 },
    surge: { surprise },
  };
}

function hotTime(spells: Spell[], signal: Spell['signal'], end: number): HotTime {
  const found = spells.filter((spell) => spell.signal === signal);
  const ms = found.reduce((sum, { since, until = end }) => sum + until - since, 0);
  return { items: new Set(found.map(({ item }) => item)).size, minutes: ms / 60_000 };
}
