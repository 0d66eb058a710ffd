import type { Ban, Change, Decision, Finding, Held, Pin, RuleSignal, Signal } from './decision.ts';
import { createHeldBack, keyOf } from './held.ts';
import { createPins, type PinsAndBans } from './pins.ts';
import type { ItemRule, Rules } from './rules.ts';

export type { Action } from './rules.ts';
export type { Ban, Change, Decision, Finding, Held, Pin, PinsAndBans, RuleSignal, Signal };

/*
 * Which items are hot, and what makes them stay. An item that became hot stays so for its signal's dwell at least; at most `cap`
 * items are hot at once by a signal, and what the cap holds back is known. A ban wins over a pin, a pin over a signal.
 */

export type Decisions = {
  /** `held`: the cap is reached, and none that may leave is weaker. */
  enter(finding: Finding, now: number): 'entered' | 'there' | 'held' | 'banned';
  /** How strong the signal of a hot item is now. */
  update(item: string, signal: RuleSignal, strength: number): void;
  /** The signal is over. False: it stays, within its dwell, or was not there. */
  leave(item: string, signal: RuleSignal, now: number): boolean;
  /** Replaces all pins and bans. */
  setOverrides(overrides: PinsAndBans, now: number): void;
  /** Pins and bans begin and end. */
  advance(now: number): void;
  /**
   * Other rules apply from now on. What they keep from being hot leaves at once, as does what is over a lower cap, the weakest first:
   * who writes a rule means it.
   */
  setRules(rules: Rules, now: number): void;
  isHot(item: string, signal: Signal): boolean;
  isBanned(item: string): boolean;
  /** Hot items, the latest to enter last. */
  hot(): Decision[];
  /** What the cap holds back now. */
  held(): Held[];
  version(): number;
  /** What is to be kept over a restart. */
  state(): DecisionsState;
};

/** Plain values. */
export type DecisionsState = PinsAndBans & {
  version: number;
  hot: (Decision & { strength: number })[];
};

export type DecisionsOptions = {
  rules: Rules;
  /** Told each change when it happens. */
  onChange: (change: Change) => void;
  /** What `state` gave before a restart, and when it is now. What is hot in it is so without a change being told. */
  stored?: { state: DecisionsState; now: number };
};

type Hot = { decision: Decision; strength: number; rule: ItemRule };

/** What takes the place of another must be this much stronger: two that are alike would take turns. */
const STRONGER = 1.25;

export function createDecisions({ rules: first, onChange, stored }: DecisionsOptions): Decisions {
  let rules = first;
  const hot = new Map<string, Hot>();
  const counts: Record<Signal, number> = { busy: 0, surge: 0, concentrated: 0, pin: 0 };
  const byHand = createPins(stored?.state ?? { pins: [], bans: [] });
  const held = createHeldBack();
  let version = 0;
  /** How strong one must be to take the place of another, for each signal: asked for thousands of items at the same time. */
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
        held.hold(finding, now);
        return 'held';
      }
      begin({ item, signal, since: now, reason: finding.explain() }, strength);
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

  /** The weakest that may leave gives way to one that is clearly stronger. */
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

  /** The strongest first. */
  function ranked(signal: RuleSignal): Hot[] {
    const found = [...hot.values()].filter(({ decision }) => decision.signal === signal);
    return found.sort((a, b) => b.strength - a.strength);
  }

  function mayLeave({ decision: { signal, since }, rule }: Hot, now: number): boolean {
    return signal !== 'pin' && now - since >= rule[signal].dwellMs;
  }

  function begin(
    found: Pick<Decision, 'item' | 'signal' | 'since' | 'until' | 'reason'>,
    strength: number,
  ): void {
    const rule = rules.rulesFor(found.item);
    const decision = { ...found, ...byRule(found.signal, rule), version: ++version };
    add({ decision, strength, rule });
    onChange({ ...decision, change: 'enters' });
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

  /** The strongest, if the cap is lower now. A clock that was set back must not keep anything for longer than its dwell. */
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
