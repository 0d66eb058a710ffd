import { SMALL_STEP_MS } from './clock.ts';
import type { Ban, Change, Decision, Finding, Held, Numbers, Pin, RuleSignal, Signal } from './decision.ts';
import { createHeldBack, keyOf } from './held.ts';
import { createPins, type PinsAndBans } from './pins.ts';
import type { ItemRule, Rules } from './rules.ts';

export type { Action } from './rules.ts';
export type { Ban, Change, Decision, Finding, Held, Numbers, Pin, PinsAndBans, RuleSignal, Signal };

/*
 * Holds which items are hot. An item stays hot at least for the dwell of its signal. At most `cap` items per signal are hot at once; items
 * that the cap holds back are recorded. A ban overrides a pin, and a pin overrides a signal.
 */

export type Decisions = {
  /** `held`: the cap is reached, and no item that may leave is weaker. */
  enter(finding: Finding, now: number): 'entered' | 'there' | 'held' | 'banned';
  /** Updates the strength of a hot item's signal. */
  update(item: string, signal: RuleSignal, strength: number): void;
  /** The signal is over. Returns false if the item stays, within its dwell, or was not hot. */
  leave(item: string, signal: RuleSignal, now: number): boolean;
  /** Replaces all pins and bans. */
  setOverrides(overrides: PinsAndBans, now: number): void;
  /** Starts and ends pins and bans by time. */
  advance(now: number): void;
  /** Replaces the rules. An item that they exclude leaves at once, regardless of its dwell; so do the weakest items if the cap is lower. */
  setRules(rules: Rules, now: number): void;
  isHot(item: string, signal: Signal): boolean;
  isBanned(item: string): boolean;
  /** Hot items, the latest to enter last. */
  hot(): Decision[];
  /** Items that the cap holds back now. */
  held(): Held[];
  /** How many these are: cheaper than the list. */
  heldCount(): number;
  version(): number;
  /** What to store for a restart. */
  state(): DecisionsState;
};

/** Plain values. */
export type DecisionsState = PinsAndBans & {
  version: number;
  hot: (Decision & { strength: number })[];
};

export type DecisionsOptions = {
  rules: Rules;
  /** Called for each change. */
  onChange: (change: Change) => void;
  /**
   * Called with what would have been decided when the cap begins to hold an item back: at most once a minute for an item and signal, and for
   * a hundred of them at once.
   */
  onHeld?: ((held: Decision) => void) | undefined;
  /** What `state` returned before a restart, and the time now. Its hot items are hot without a call of `onChange`. */
  stored?: { state: DecisionsState; now: number };
};

type Hot = { decision: Decision; strength: number; rule: ItemRule };

/** An item must be this much stronger to displace another; otherwise two similar items would alternate. */
const STRONGER = 1.25;

export function createDecisions({ rules: first, onChange, onHeld, stored }: DecisionsOptions): Decisions {
  let rules = first;
  const hot = new Map<string, Hot>();
  const counts: Record<Signal, number> = { busy: 0, surge: 0, concentrated: 0, pin: 0 };
  const byHand = createPins(stored?.state ?? { pins: [], bans: [] });
  const held = createHeldBack();
  let version = 0;
  /** How strong an item must be to displace another, per signal: cached, because thousands of items ask within one tick. */
  const toBeat = new Map<RuleSignal, { now: number; strength: number }>();
  if (stored !== undefined) restore(stored);
  return {
    enter(finding, now) {
      const { item, signal, strength } = finding;
      if (byHand.isBanned(item)) return 'banned';
      const known = hot.get(keyOf(item, signal));
      if (known !== undefined) {
        known.strength = strength;
        return 'there';
      }
      if (counts[signal] >= rules.cap && !makeRoom(finding, now)) {
        const news = held.hold(finding, now);
        if (news !== undefined)
          tellHeld({ item, signal, since: now, reason: news.text, numbers: news.numbers });
        return 'held';
      }
      const { text: reason, numbers } = finding.explain();
      begin({ item, signal, since: now, reason, numbers }, strength);
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
    setOverrides(overrides, now) {
      byHand.replace(overrides);
      advance(now);
    },
    advance(now) {
      held.advance(now);
      advance(now);
    },
    setRules,
    isHot: (item, signal) => hot.has(keyOf(item, signal)),
    isBanned: byHand.isBanned,
    hot: () => [...hot.values()].map(({ decision }) => decision),
    held: held.all,
    heldCount: held.count,
    version: () => version,
    state: () => ({
      version,
      hot: [...hot.values()].map(({ decision, strength }) => ({ ...decision, strength })),
      pins: byHand.pins(),
      bans: byHand.bans(),
    }),
  };

  function advance(now: number): void {
    byHand.advance(now);
    for (const known of hot.values()) {
      const { item, signal } = known.decision;
      if (byHand.isBanned(item) || (signal === 'pin' && !byHand.isPinned(item, now))) end(known);
    }
    for (const pin of byHand.pins()) {
      if (!byHand.isPinned(pin.item, now)) continue;
      const { item, until, reason } = pin;
      const found = { item, reason, ...(until === undefined ? {} : { until }) };
      const known = hot.get(keyOf(item, 'pin'));
      if (known === undefined) begin({ ...found, signal: 'pin', since: now }, 0);
      else if (known.decision.until !== until || known.decision.reason !== reason) {
        const { until: _, ...rest } = known.decision;
        change(known, { ...rest, ...found });
      }
    }
  }

  function setRules(replaced: Rules, now: number): void {
    rules = replaced;
    toBeat.clear();
    for (const known of hot.values()) {
      const { decision } = known;
      const rule = rules.rulesFor(decision.item);
      if (rule.barred !== '' && decision.signal !== 'pin') {
        end(known);
        continue;
      }
      known.rule = rule;
      const changed = { ...decision, ...byRule(decision.signal, rule) };
      if (!isAlike(decision, changed)) change(known, changed);
    }
    for (const signal of ['busy', 'surge', 'concentrated'] as const)
      for (const known of ranked(signal).slice(rules.cap)) end(known);
    advance(now);
  }

  /** Makes the weakest item that may leave give way to one that is clearly stronger. */
  function makeRoom({ signal, strength }: Finding, now: number): boolean {
    const known = toBeat.get(signal);
    if (known?.now === now && strength < known.strength) return false;
    const weakest = ranked(signal).findLast((one) => mayLeave(one, now));
    const least = weakest === undefined ? Number.POSITIVE_INFINITY : STRONGER * weakest.strength;
    toBeat.set(signal, { now, strength: least });
    if (weakest === undefined || strength < least) return false;
    end(weakest);
    return true;
  }

  /** Strongest first. */
  function ranked(signal: RuleSignal): Hot[] {
    const found = [...hot.values()].filter(({ decision }) => decision.signal === signal);
    return found.sort((a, b) => b.strength - a.strength);
  }

  /** An item that is hot since a time in the future may leave: the clock was set back, and its dwell would last until the clock is there again. */
  function mayLeave({ decision: { signal, since }, rule }: Hot, now: number): boolean {
    return signal !== 'pin' && (now - since >= rule[signal].dwellMs || since - now > SMALL_STEP_MS);
  }

  function begin(
    found: Pick<Decision, 'item' | 'signal' | 'since' | 'until' | 'reason' | 'numbers'>,
    strength: number,
  ): void {
    const rule = rules.rulesFor(found.item);
    const decision = { ...found, ...byRule(found.signal, rule), version: ++version };
    add({ decision, strength, rule });
    onChange({ ...decision, change: 'enters' });
  }

  function tellHeld(found: Pick<Decision, 'item' | 'signal' | 'since' | 'reason' | 'numbers'>): void {
    onHeld?.({ ...found, ...byRule(found.signal, rules.rulesFor(found.item)), version: ++version });
  }

  function add(one: Hot): void {
    const { item, signal } = one.decision;
    hot.set(keyOf(item, signal), one);
    counts[signal]++;
    if (signal === 'pin') return;
    toBeat.delete(signal);
    held.release(item, signal);
  }

  function change(known: Hot, decision: Decision): void {
    known.decision = { ...decision, version: ++version };
    onChange({ ...known.decision, change: 'changes' });
  }

  function end({ decision }: Hot): void {
    const { item, signal } = decision;
    hot.delete(keyOf(item, signal));
    counts[signal]--;
    if (signal !== 'pin') toBeat.delete(signal);
    onChange({ ...decision, version: ++version, change: 'leaves' });
  }

  /** Keeps the strongest, if the cap is lower now. A clock that was set back must not extend a dwell. */
  function restore({ state, now }: { state: DecisionsState; now: number }): void {
    version = state.hot.reduce((most, one) => Math.max(most, one.version), state.version);
    const strongest = state.hot.toSorted((a, b) => b.strength - a.strength);
    for (const { strength, ...decision } of strongest) {
      const { item, signal } = decision;
      const rule = rules.rulesFor(item);
      if (hot.has(keyOf(item, signal)) || (signal !== 'pin' && rule.barred !== '')) continue;
      if (signal !== 'pin' && counts[signal] >= rules.cap) continue;
      const since = Math.min(decision.since, now);
      add({ decision: { ...decision, since, ...byRule(signal, rule) }, strength, rule });
    }
  }
}

function byRule(signal: Signal, rule: ItemRule): Pick<Decision, 'actions' | 'rule' | 'dryRun'> {
  const { actions } = rule[signal === 'pin' ? 'busy' : signal];
  return { actions, rule: rule.name, dryRun: rule.dryRun };
}

function isAlike(a: Decision, b: Decision): boolean {
  return a.rule === b.rule && a.dryRun === b.dryRun && a.actions.join() === b.actions.join();
}
