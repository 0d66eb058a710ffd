import { TICK_MS } from './clock.ts';
import { type Change, createDecisions, type Decision, type Held } from './decisions.ts';
import { createHeat, type HeatState, type HeatStats } from './heat.ts';
import { compileRules, type RuleOptions, type Rules } from './rules.ts';

/*
 * Answers what would have been hot: past views, ordered by time, pass the same detection with their own times. Nothing reads the clock, so
 * ten minutes take as long as reading them.
 */

/** One view. Item and visitor are given as words of 32 scattered bits, as `observe` takes them. */
export type PastView = {
  item: string;
  high: number;
  low: number;
  visitor: number;
  weight: number;
  isBot: boolean;
  /** ms since 1970. */
  time: number;
};

export type Backtest = {
  /** Observes a view. A view that is older than the one before it is late, as it would have been live. */
  observe(view: PastView): void;
  /** Time of the last view. */
  now(): number;
  finish(): BacktestOutcome;
};

export type BacktestOptions = {
  rules?: Rules;
  /** Baselines from before. Without them, nothing is a surge in the first three minutes. */
  stored?: HeatState;
};

export type BacktestOutcome = {
  spells: Spell[];
  /** What the cap held back: each item and signal once, from its first time on. */
  held: (Held & { since: number })[];
  stats: HeatStats | undefined;
  /** Times of the first and the last view; absent if there was none. */
  span?: { from: number; to: number };
};

/** From the moment an item becomes hot by a signal until it leaves. */
export type Spell = Pick<Decision, 'item' | 'signal' | 'since' | 'reason' | 'rule'> & {
  /** ms since 1970; absent if it is still hot. */
  until?: number;
  /** Of the item in that time. */
  views: number;
  /** Requests that a cache of one second would have kept from the origin: all views but one per second. */
  saved: number;
};

/** A longer pause is skipped: after it nothing is hot, and windows are empty. */
const LONGEST_PAUSE_MS = 600_000;

export function createBacktest({ rules = compileRules(), stored }: BacktestOptions = {}): Backtest {
  const spells: Spell[] = [];
  const held = new Map<string, Held & { since: number }>();
  /** Items that are hot now. */
  const running = new Map<string, { second: number; spells: Spell[] }>();
  const decisions = createDecisions({ rules, onChange });
  let [from, now, tickAt] = [0, 0, 0];
  let item = '';
  let heat: ReturnType<typeof createHeat> | undefined;
  return {
    observe(view) {
      heat ??= begin(view.time);
      if (view.time >= tickAt) passTime(heat, view.time);
      now = Math.max(now, view.time);
      item = view.item;
      heat.observe(view.high, view.low, view.visitor, view.weight, view.isBot, view.time);
      if (running.size > 0) count(view);
    },
    now: () => now,
    finish() {
      heat?.decide();
      noteHeld();
      const found = { spells, held: [...held.values()], stats: heat?.stats() };
      return heat === undefined ? found : { ...found, span: { from, to: now } };
    },
  };

  function begin(time: number): ReturnType<typeof createHeat> {
    [from, now, tickAt] = [time, time, time + TICK_MS];
    const known = stored === undefined ? {} : { stored: { ...stored, at: time } };
    return createHeat({ now: time, nameOf: () => item, decisions, rules, ...known });
  }

  function passTime(detector: ReturnType<typeof createHeat>, time: number): void {
    detector.decide();
    if (time - tickAt > LONGEST_PAUSE_MS) tickAt = time;
    for (; tickAt <= time; tickAt += TICK_MS) detector.advance(tickAt);
    noteHeld();
  }

  function onChange({ item, signal, since, reason, rule, change }: Change): void {
    const known = running.get(item) ?? { second: 0, spells: [] };
    if (change === 'enters') {
      const spell = { item, signal, since, reason, rule, views: 0, saved: 0 };
      spells.push(spell);
      known.spells.push(spell);
      running.set(item, known);
      return;
    }
    if (change === 'changes') return;
    for (const spell of known.spells) if (spell.signal === signal) spell.until = tickAt;
    known.spells = known.spells.filter((spell) => spell.signal !== signal);
    if (known.spells.length === 0) running.delete(item);
  }

  function count({ item, weight, time }: PastView): void {
    const known = running.get(item);
    if (known === undefined) return;
    const second = Math.floor(time / 1_000);
    const reaches = second > known.second ? 1 : 0;
    known.second = Math.max(known.second, second);
    for (const spell of known.spells) {
      spell.views += weight;
      spell.saved += weight - reaches;
    }
  }

  function noteHeld(): void {
    for (const one of decisions.held()) {
      const key = `${one.signal} ${one.item}`;
      if (!held.has(key)) held.set(key, { ...one, since: now });
    }
  }
}

/** For one combination of thresholds. */
export type GridOutcome = {
  busyFrom: number;
  surprise: number;
  busy: HotTime;
  surge: HotTime;
  held: number;
};

/** Distinct items that were hot, and for how long in total. */
export type HotTime = { items: number; minutes: number };

/** Tries all combinations of thresholds on the same views, in one pass. */
export function createGrid(thresholds: { busyFrom: number[]; surprise: number[]; rules?: RuleOptions[] }): {
  observe(view: PastView): void;
  finish(): GridOutcome[];
} {
  const { busyFrom, surprise, rules = [] } = thresholds;
  const cells = busyFrom.flatMap((perSecond) =>
    surprise.map((least) => {
      const tried = {
        name: 'grid',
        busy: { perSecond, endsPerSecond: perSecond / 4 },
        surge: { surprise: least },
      };
      const backtest = createBacktest({ rules: compileRules([...rules, tried]) });
      return { busyFrom: perSecond, surprise: least, backtest };
    }),
  );
  return {
    observe(view) {
      for (const { backtest } of cells) backtest.observe(view);
    },
    finish: () =>
      cells.map(({ backtest, ...cell }) => {
        const { spells, held, span } = backtest.finish();
        const end = span?.to ?? 0;
        return {
          ...cell,
          busy: hotTime(spells, 'busy', end),
          surge: hotTime(spells, 'surge', end),
          held: held.length,
        };
      }),
  };
}

function hotTime(spells: Spell[], signal: Spell['signal'], end: number): HotTime {
  const found = spells.filter((spell) => spell.signal === signal);
  const ms = found.reduce((sum, { since, until = end }) => sum + until - since, 0);
  return { items: new Set(found.map(({ item }) => item)).size, minutes: ms / 60_000 };
}
