/*
 * Which items are hot, and what makes them stay. An item that became hot stays so for its signal's dwell at least; at most `cap`
 * items are hot at once by their signals, and what the cap holds back is known. A ban wins over a pin, a pin over a signal.
 */

/** `busy`: it loads the origin. `surge`: more people than usual want it. `pin`: somebody says so. */
export type Signal = 'busy' | 'surge' | 'pin';
export type RuleSignal = Exclude<Signal, 'pin'>;

export type Decision = {
  item: string;
  signal: Signal;
  /** ms since 1970. */
  since: number;
  /** When it ends by itself, ms since 1970; absent where it ends by what is measured, or never. */
  until?: number;
  /** A sentence with numbers and their windows. */
  reason: string;
  /** Grows by one with each change, over all items. */
  version: number;
};

export type Change = Decision & { change: 'enters' | 'leaves' };

/**
 * What a signal says of an item. `strength` compares items with one signal: views or visitors a second. `explain`: the reason, asked for
 * only where it is needed.
 */
export type Finding = { item: string; signal: RuleSignal; strength: number; explain: () => string };

/** What the cap holds back. */
export type Held = Omit<Finding, 'explain'> & { reason: string };

export type Decisions = {
  /** `held`: the cap is reached, and none that may leave is weaker. */
  enter(finding: Finding, now: number): 'entered' | 'there' | 'held' | 'banned';
  /** How strong the signal of a hot item is now. */
  update(item: string, signal: RuleSignal, strength: number): void;
  /** The signal is over. False: it stays, within its dwell, or was not there. */
  leave(item: string, signal: RuleSignal, now: number): boolean;
  pin(item: string, options: { from?: number; until?: number; reason: string; now: number }): void;
  ban(item: string, options: { until?: number; now: number }): void;
  /** Takes away pin and ban. */
  clear(item: string, now: number): void;
  /** Pins and bans begin and end. */
  advance(now: number): void;
  isHot(item: string, signal: Signal): boolean;
  /** Hot items, the latest change last. */
  hot(): Decision[];
  /** What the cap holds back since the last call of `advance`. */
  held(): Held[];
  version(): number;
};

export type DecisionsOptions = {
  /** Items that are hot by a signal at once. */
  cap: number;
  /** How long each stays at least, ms. */
  dwellMs: Record<RuleSignal, number>;
  /** Told each change when it happens. */
  onChange: (change: Change) => void;
};

type Hot = { decision: Decision; strength: number };
type Pin = { from: number; until: number; reason: string };

/** What takes the place of another must be this much stronger: two that are alike would take turns. */
const STRONGER = 1.25;

export function createDecisions({ cap, dwellMs, onChange }: DecisionsOptions): Decisions {
  const hot = new Map<string, Hot>();
  const pins = new Map<string, Pin>();
  /** Until when. */
  const bans = new Map<string, number>();
  const held = new Map<string, Finding>();
  let version = 0;
  return {
    enter(finding, now) {
      const { item, signal, strength } = finding;
      if (bans.has(item)) return 'banned';
      const known = hot.get(keyOf(item, signal));
      if (known !== undefined) {
        known.strength = strength;
        return 'there';
      }
      if (countOf(signal) >= cap && !makeRoom(finding, now)) {
        held.set(keyOf(item, signal), finding);
        return 'held';
      }
      begin({ item, signal, since: now, reason: finding.explain(), version: 0 }, strength);
      return 'entered';
    },
    update(item, signal, strength) {
      const known = hot.get(keyOf(item, signal));
      if (known !== undefined) known.strength = strength;
    },
    leave(item, signal, now) {
      const known = hot.get(keyOf(item, signal));
      if (known === undefined || !mayLeave(known, now)) return false;
      end(known);
      return true;
    },
    pin(item, { from = 0, until = Number.POSITIVE_INFINITY, reason, now }) {
      pins.set(item, { from, until, reason });
      advance(now);
    },
    ban(item, { until = Number.POSITIVE_INFINITY, now }) {
      bans.set(item, until);
      advance(now);
    },
    clear(item, now) {
      pins.delete(item);
      bans.delete(item);
      advance(now);
    },
    advance(now) {
      held.clear();
      advance(now);
    },
    isHot: (item, signal) => hot.has(keyOf(item, signal)),
    hot: () => [...hot.values()].map(({ decision }) => decision),
    held: () => [...held.values()].map(({ explain, ...finding }) => ({ ...finding, reason: explain() })),
    version: () => version,
  };

  function advance(now: number): void {
    for (const [item, until] of bans) if (until <= now) bans.delete(item);
    for (const [item, { until }] of pins) if (until <= now) pins.delete(item);
    for (const known of hot.values()) {
      const { item, signal } = known.decision;
      if (bans.has(item) || (signal === 'pin' && !pins.has(item))) end(known);
    }
    for (const [item, { from, until, reason }] of pins) {
      if (from > now || bans.has(item) || hot.has(keyOf(item, 'pin'))) continue;
      const ends = Number.isFinite(until) ? { until } : {};
      begin({ item, signal: 'pin', since: now, ...ends, reason, version: 0 }, 0);
    }
  }

  /** The weakest that may leave gives way to one that is clearly stronger. */
  function makeRoom({ signal, strength }: Finding, now: number): boolean {
    let weakest: Hot | undefined;
    for (const known of hot.values()) {
      if (known.decision.signal !== signal || !mayLeave(known, now)) continue;
      if (weakest === undefined || known.strength < weakest.strength) weakest = known;
    }
    if (weakest === undefined || strength < STRONGER * weakest.strength) return false;
    end(weakest);
    return true;
  }

  function mayLeave({ decision: { signal, since } }: Hot, now: number): boolean {
    return signal !== 'pin' && now - since >= dwellMs[signal];
  }

  function begin(decision: Decision, strength: number): void {
    const versioned = { ...decision, version: ++version };
    hot.set(keyOf(decision.item, decision.signal), { decision: versioned, strength });
    onChange({ ...versioned, change: 'enters' });
  }

  function end({ decision }: Hot): void {
    hot.delete(keyOf(decision.item, decision.signal));
    onChange({ ...decision, version: ++version, change: 'leaves' });
  }

  function countOf(signal: Signal): number {
    let count = 0;
    for (const { decision } of hot.values()) if (decision.signal === signal) count++;
    return count;
  }
}

/** The signal has no space in it. */
function keyOf(item: string, signal: Signal): string {
  return `${signal} ${item}`;
}
